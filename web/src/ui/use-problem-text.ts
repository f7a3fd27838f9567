/** The words for an error: by its code in the user's language, then what the box said. */
import { useI18n } from 'vue-i18n';
import type { ApiError } from '#api/problem.ts';

export function useProblemText() {
  const { t, te } = useI18n();
  return {
    title: (error: ApiError): string => {
      const key = `ui.problem.${error.code}`;
      return te(key) ? t(key) : error.problem.title;
    },
    detail: (error: ApiError): string | undefined =>
      error.problem.detail === error.problem.title ? undefined : error.problem.detail,
  };
}
