/** The calls of the wizards, with the patience that a network of slow cameras needs. */
import { api } from '#api/client.ts';
import { asApiError } from '#api/problem.ts';
import type { Credentials } from '#features/cameras/add-rows.ts';
import type { FoundCamera, ProbeReport } from '#features/cameras/camera-types.ts';
import { useProblemText } from '#ui/use-problem-text.ts';

const probeMs = 90_000;
const scanMs = 180_000;

/** Empty rows of the form are no credentials. */
export const given = (sets: readonly Credentials[]): Credentials[] =>
  sets.filter((one) => one.username.trim() !== '' || one.password !== '');

export function useProbe() {
  const problem = useProblemText();
  return {
    probe: async (addresses: string[], credentials: Credentials[]): Promise<ProbeReport[]> =>
      (await api('probeCameras', { body: { addresses, credentials }, timeoutMs: probeMs })).items,
    scan: async (ranges: string[]): Promise<FoundCamera[]> =>
      (await api('discoverCameras', { body: { ranges }, timeoutMs: scanMs })).items,
    words: (thrown: unknown): string => {
      const error = asApiError(thrown);
      const fields = (error.problem.errors ?? []).map((row) => `${row.path}: ${row.message}`).join('; ');
      return [problem.title(error), problem.detail(error), fields].filter(Boolean).join('. ');
    },
  };
}
