/** The SDK's credential providers, which a plain key never needs: loaded by those who do, and by nobody else. */
export { fromIni, fromNodeProviderChain } from "@aws-sdk/credential-providers";
