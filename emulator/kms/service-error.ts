/** An answer of KMS that is an error: `{"__type", "message"}` with an HTTP status (AWS JSON 1.1; KMS API, "Common errors"). */

/** Every error this emulator answers, with its HTTP status. KMS says 400 to nearly all of them. */
const STATUS = {
  AccessDeniedException: 400,
  DisabledException: 400,
  DryRunOperationException: 412,
  ExpiredTokenException: 400,
  IncompleteSignature: 400,
  IncorrectKeyException: 400,
  InvalidCiphertextException: 400,
  InvalidKeyUsageException: 400,
  InvalidSignatureException: 400,
  KMSInternalException: 500,
  KMSInvalidMacException: 400,
  KMSInvalidSignatureException: 400,
  MalformedPolicyDocumentException: 400,
  MissingAuthenticationTokenException: 400,
  NotFoundException: 400,
  RequestEntityTooLargeException: 413,
  SerializationException: 400,
  ThrottlingException: 400,
  UnknownOperationException: 400,
  UnrecognizedClientException: 400,
  UnsupportedOperationException: 400,
  ValidationException: 400,
} as const;

type ServiceErrorType = keyof typeof STATUS;

export class ServiceError extends Error {
  readonly type: ServiceErrorType;

  constructor(type: ServiceErrorType, message: string, options?: { readonly cause: unknown }) {
    super(message, options);
    this.name = 'ServiceError';
    this.type = type;
  }

  get status(): number {
    return STATUS[this.type];
  }

  toBody(): string {
    return JSON.stringify({ __type: this.type, message: this.message });
  }
}
