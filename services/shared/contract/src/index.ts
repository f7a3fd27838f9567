/** The contract: zod schemas of every wire between Siphera's processes, and with devices and integrators. */
export * from './base.ts';
export * from './evidence.ts';
export * from './feed.ts';
export * from './internal.ts';
export * from './membership.ts';
export * from './openapi.ts';
export * from './rest/camera-routes.ts';
export * from './rest/camera.ts';
export * from './rest/commands.ts';
export * from './rest/emergency.ts';
export * from './rest/events.ts';
export * from './rest/footage-routes.ts';
export * from './rest/footage.ts';
export * from './rest/identity.ts';
export * from './rest/incidents.ts';
export * from './rest/index.ts';
export {
  Delivery as NotificationDelivery,
  Escalation,
  EscalationStep,
  SmtpSettings,
  Webhook,
  WebhookInput,
} from './rest/notify.ts';
export * from './rest/panel.ts';
export * from './rest/phone-routes.ts';
export * from './rest/phone.ts';
export * from './rest/registry.ts';
export * from './rest/route.ts';
export * from './rest/rules.ts';
export * from './rest/system.ts';
export * from './rest/talk-routes.ts';
export * from './rest/talk.ts';
export * from './socket.ts';
export * from './transcript.ts';
