/** What a rule's actions may name: procedures, escalation plans, webhooks. Empty for a role that may not read them. */
import { computed, type ComputedRef } from 'vue';
import { api } from '#api/client.ts';
import { useSession } from '#app/session.store.ts';
import { useResource } from '#ui/use-resource.ts';

type Choice = { value: string; label: string };
export type RuleChoices = { procedures: Choice[]; escalations: Choice[]; webhooks: Choice[] };

export function useRuleChoices(): { choices: ComputedRef<RuleChoices>; ensure: () => Promise<void> } {
  const session = useSession();
  const resource = useResource(async () => {
    const [procedures, escalations, webhooks] = await Promise.all([
      session.may('incident.read') ? api('listProcedures') : { items: [] },
      session.may('rule.read') ? api('listEscalations') : { items: [] },
      session.may('notify.manage') ? api('listWebhooks') : { items: [] },
    ]);
    const choice = (one: { id: string; name: string }): Choice => ({ value: one.id, label: one.name });
    return {
      procedures: procedures.items.map(choice),
      escalations: escalations.items.map(choice),
      webhooks: webhooks.items.map(choice),
    };
  });
  return {
    choices: computed(() => resource.data.value ?? { procedures: [], escalations: [], webhooks: [] }),
    ensure: resource.reload,
  };
}
