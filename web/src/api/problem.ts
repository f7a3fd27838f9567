/** What a failed call looks like to a page: the problem+json of the box, or `network` when nothing answered. */
import type { ErrorCode } from '@siphera/contract';

export type ApiErrorCode = ErrorCode | 'network';
export type FieldError = { path: string; message: string };
export type ProblemLike = {
  code: ApiErrorCode;
  status: number;
  title: string;
  detail?: string | undefined;
  hint?: string | undefined;
  trace_id?: string | undefined;
  errors?: FieldError[] | undefined;
  [extra: string]: unknown;
};

export class ApiError extends Error {
  readonly problem: ProblemLike;
  readonly code: ApiErrorCode;

  constructor(problem: ProblemLike, cause?: unknown) {
    super(problem.detail ?? problem.title, { cause });
    this.name = 'ApiError';
    this.problem = problem;
    this.code = problem.code;
  }

  /** The message of the field at `path` (`a.b`), if the box named it. */
  fieldError(path: string): string | undefined {
    return this.problem.errors?.find((row) => row.path === path || row.path === `body.${path}`)?.message;
  }
}

/** Any thrown value as an `ApiError`, so that pages have one kind to show. */
export function asApiError(thrown: unknown): ApiError {
  if (thrown instanceof ApiError) return thrown;
  const title = thrown instanceof Error ? thrown.message : String(thrown);
  return new ApiError({ code: 'internal', status: 0, title }, thrown);
}
