/**
 * Generic errors under the names and statuses of both protocols (the services' "Common Errors" pages). Codes
 * that are not listed belong to a service's own model and answer 400 under their own name.
 */
export interface WireError {
  readonly code: string;
  readonly status: number;
}

interface CodePair {
  readonly query: WireError;
  readonly json: WireError;
}

const GENERIC: Readonly<Record<string, CodePair>> = {
  AccessDenied: pair("AccessDenied", 403, "AccessDeniedException"),
  ExpiredToken: pair("ExpiredToken", 403, "ExpiredTokenException"),
  IncompleteSignature: pair("IncompleteSignature", 400, "IncompleteSignatureException"),
  InternalFailure: {
    query: { code: "InternalFailure", status: 500 },
    json: { code: "InternalFailure", status: 500 },
  },
  InvalidAction: pair("InvalidAction", 400, "UnknownOperationException"),
  InvalidClientTokenId: pair("InvalidClientTokenId", 403, "UnrecognizedClientException"),
  MissingAuthenticationToken: pair("MissingAuthenticationToken", 403, "MissingAuthenticationTokenException"),
  RegionDisabledException: pair("RegionDisabledException", 403, "RegionDisabledException"),
  RequestLimitExceeded: {
    query: { code: "RequestLimitExceeded", status: 503 },
    json: { code: "RequestLimitExceeded", status: 503 },
  },
  SignatureDoesNotMatch: pair("SignatureDoesNotMatch", 403, "InvalidSignatureException"),
  Throttling: pair("Throttling", 400, "ThrottlingException"),
  ValidationError: pair("ValidationError", 400, "ValidationException"),
};

export function wireError(code: string, protocol: keyof CodePair): WireError {
  return GENERIC[code]?.[protocol] ?? { code, status: 400 };
}

function pair(queryCode: string, queryStatus: number, jsonCode: string): CodePair {
  return { query: { code: queryCode, status: queryStatus }, json: { code: jsonCode, status: 400 } };
}
