/** The version, from the one place that states it; the build puts the number in here. */
import manifest from "../package.json" with { type: "json" };

export const VERSION: string = manifest.version;
