/** What our policies and identities are called where nobody gave them another name. */

/** The role of the config file as shipped. */
export const DEFAULT_ROLE_NAME = "CodeDeployIDC-Instance-Profile";
export const DEFAULT_BASE_NAME = "idc-codedeploy-base";

export const POLICY_NAMES = {
  role: "idc-codedeploy-host",
  base: "idc-codedeploy-base",
  operator: "idc-codedeploy-operator",
} as const;

/** Where a host keeps what AWS's credential helper needs of it; root's, and readable by the group idc-helper. */
export const CERTIFICATE_FILES = {
  helper: "/usr/local/bin/aws_signing_helper",
  certificate: "/etc/idc-codedeploy-helper/certificate.pem",
  privateKey: "/etc/idc-codedeploy-helper/private-key.pem",
} as const;
