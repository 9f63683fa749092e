/** The commands of a host's life, which have most of their code in common and are typed rarely. */
export { adopt } from "./adopt.ts";
export { deregister } from "./deregister.ts";
export { doctor } from "./doctor.ts";
export { iam } from "./iam.ts";
export { register } from "./register.ts";
