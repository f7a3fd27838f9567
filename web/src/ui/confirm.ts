/** Asks before something that matters. `confirm()` resolves to the answer; one question at a time. */
import { shallowRef } from 'vue';

export type Question = {
  title: string;
  text?: string;
  action: string;
  danger?: boolean;
  /** The user types this word first: for what cannot be undone. */
  typeToConfirm?: string;
};
export type OpenQuestion = Question & { answer: (yes: boolean) => void };

/** Shown by `ConfirmHost`. */
export const openQuestion = shallowRef<OpenQuestion>();

export function confirm(question: Question): Promise<boolean> {
  openQuestion.value?.answer(false);
  return new Promise((resolve) => {
    openQuestion.value = {
      ...question,
      answer: (yes) => {
        openQuestion.value = undefined;
        resolve(yes);
      },
    };
  });
}
