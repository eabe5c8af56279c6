/**
 * The one error of this folder: bytes or values that are not in the format.
 * Its code is part of the public answer to a bad batch (docs/errors.md).
 */
export type FormatErrorCode =
  | "bad_header"
  | "bad_payload"
  | "bad_entry"
  | "bad_address"
  | "bad_receipt"
  | "bad_key"
  | "payload_too_large";

export class FormatError extends Error {
  readonly code: FormatErrorCode;

  constructor(code: FormatErrorCode, message: string, options?: ErrorOptions) {
    super(message, options);
    this.name = "FormatError";
    this.code = code;
  }
}
