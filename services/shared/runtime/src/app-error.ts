/** The one error type for expected failures. Its code is listed in the contract; its detail and hint are written for a person. */
import { errorCodes, type ErrorCode, type Problem } from '@siphera/contract/base';

export class AppError extends Error {
  readonly code: ErrorCode;
  readonly hint: string | undefined;
  /** Further members of the problem document, e.g. who was first. Never secrets. */
  readonly extra: Readonly<Record<string, unknown>>;

  constructor(
    code: ErrorCode,
    detail: string,
    options: { hint?: string; cause?: unknown; extra?: Record<string, unknown> } = {},
  ) {
    super(detail, options.cause === undefined ? undefined : { cause: options.cause });
    this.name = 'AppError';
    this.code = code;
    this.hint = options.hint;
    this.extra = options.extra ?? {};
  }
}

/** RFC 9457 body of an error. Anything that is not an AppError becomes `internal`, without its message. */
export function toProblem(error: unknown, traceId?: string): Problem {
  const known =
    error instanceof AppError ? error : new AppError('internal', 'Look for the trace id in the log.');
  const { status, title } = errorCodes[known.code];
  return {
    ...known.extra,
    type: `https://siphera.invalid/errors/${known.code}`,
    title,
    status,
    code: known.code,
    detail: known.message,
    ...(known.hint === undefined ? {} : { hint: known.hint }),
    ...(traceId === undefined ? {} : { trace_id: traceId }),
  };
}

/** Plain form of an AppError that survives a message port. */
export type ErrorWire = { code: ErrorCode; detail: string; hint?: string; extra: Record<string, unknown> };

export function errorToWire(error: AppError): ErrorWire {
  return {
    code: error.code,
    detail: error.message,
    extra: { ...error.extra },
    ...(error.hint === undefined ? {} : { hint: error.hint }),
  };
}

export function errorFromWire(wire: ErrorWire): AppError {
  return new AppError(wire.code, wire.detail, {
    extra: wire.extra,
    ...(wire.hint === undefined ? {} : { hint: wire.hint }),
  });
}
