/** MQTT topics and the realtime socket as AsyncAPI 3, seen from the box: it receives what devices send. */
import {
  AgentAck,
  AgentCommand,
  AgentCommandResult,
  AgentEvent,
  AgentState,
  type DeviceLeaf,
  deviceTopic,
  SocketAuth,
  SocketBye,
  SocketFrame,
} from '@siphera/contract';
import { z } from 'zod';

type Json = Record<string, unknown>;
type Topic = {
  leaf: DeviceLeaf;
  message: string;
  action: 'send' | 'receive';
  retained: boolean;
  summary: string;
};

const payloads = {
  AgentEvent,
  AgentAck,
  AgentState,
  AgentCommand,
  AgentCommandResult,
  SocketFrame,
  SocketBye,
  SocketAuth,
};
const topics: readonly Topic[] = [
  { leaf: 'event', message: 'AgentEvent', action: 'receive', retained: false, summary: 'A device reports an event; it keeps it until it is acknowledged' }, // prettier-ignore
  {
    leaf: 'ack',
    message: 'AgentAck',
    action: 'send',
    retained: false,
    summary: 'Everything up to a sequence is durable',
  },
  {
    leaf: 'state',
    message: 'AgentState',
    action: 'receive',
    retained: true,
    summary: 'How the device is; also its last will',
  },
  {
    leaf: 'command',
    message: 'AgentCommand',
    action: 'send',
    retained: false,
    summary: 'A command for the device or one behind it',
  },
  {
    leaf: 'result',
    message: 'AgentCommandResult',
    action: 'receive',
    retained: false,
    summary: 'How a command went',
  },
];

export function buildAsyncApi(version: string): Json {
  return {
    asyncapi: '3.0.0',
    info: {
      title: 'Siphera',
      version,
      license: { name: 'Apache-2.0' },
      description: 'Messages of a Siphera site box',
    },
    defaultContentType: 'application/json',
    servers: {
      broker: {
        host: '{host}:8883',
        protocol: 'mqtts',
        description:
          'TLS with a client certificate of the box CA; its common name is the device id and binds the topics',
        variables: { host: { description: 'Host name of the box' } },
        security: [{ $ref: '#/components/securitySchemes/certificate' }],
      },
      front: {
        host: '{host}',
        protocol: 'wss',
        description: 'socket.io; the handshake carries a SocketAuth',
        variables: { host: { description: 'Host name of the box' } },
        security: [{ $ref: '#/components/securitySchemes/accessToken' }],
      },
    },
    channels: { ...Object.fromEntries(topics.map(topicChannel)), socket: socketChannel() },
    operations: {
      ...Object.fromEntries(topics.map(topicOperation)),
      socketFrame: operation(
        'send',
        'socket',
        'SocketFrame',
        'A frame of the feed, one a room every 50 ms at most',
      ),
      socketBye: operation('send', 'socket', 'SocketBye', 'Why the server is about to close the socket'),
    },
    components: {
      messages: Object.fromEntries(
        Object.keys(payloads).map((name) => [
          name,
          { name, payload: { $ref: `#/components/schemas/${name}` } },
        ]),
      ),
      schemas: payloadSchemas(),
      securitySchemes: {
        certificate: { type: 'X509' },
        accessToken: { type: 'http', scheme: 'bearer', bearerFormat: 'JWT' },
      },
    },
  };
}

function topicChannel({ leaf, message, summary, retained }: Topic): [string, Json] {
  const channel = {
    address: deviceTopic('{org}', '{device}', leaf),
    summary: retained ? `${summary} (retained)` : summary,
    servers: [{ $ref: '#/servers/broker' }],
    parameters: {
      org: { description: 'Organisation id' },
      device: { description: 'Device id, as in the certificate' },
    },
    messages: { [message]: { $ref: `#/components/messages/${message}` } },
    bindings: { mqtt: { bindingVersion: '0.2.0' } },
  };
  return [leaf, channel];
}

const topicOperation = ({ leaf, message, action, summary, retained }: Topic): [string, Json] => [
  `${action}${leaf[0]?.toUpperCase()}${leaf.slice(1)}`,
  {
    ...operation(action, leaf, message, summary),
    bindings: { mqtt: { qos: 1, retain: retained, bindingVersion: '0.2.0' } },
  },
];

const operation = (action: 'send' | 'receive', channel: string, message: string, summary: string): Json => ({
  action,
  summary,
  channel: { $ref: `#/channels/${channel}` },
  messages: [{ $ref: `#/channels/${channel}/messages/${message}` }],
});

const socketChannel = (): Json => ({
  address: '/socket.io',
  summary: 'The realtime socket of consoles; the same frames come over SSE at /api/v1/stream',
  servers: [{ $ref: '#/servers/front' }],
  messages: {
    SocketFrame: { $ref: '#/components/messages/SocketFrame' },
    SocketBye: { $ref: '#/components/messages/SocketBye' },
  },
});

function payloadSchemas(): Json {
  const ids = z.registry<{ id: string }>();
  for (const [id, schema] of Object.entries(payloads)) ids.add(schema, { id });
  const { schemas } = z.toJSONSchema(ids, {
    io: 'input',
    unrepresentable: 'any',
    uri: (id) => `#/components/schemas/${id}`,
  });
  return Object.fromEntries(
    Object.entries(schemas).map(([id, schema]) => {
      const { $schema: _dialect, $id: _id, id: _name, ...rest } = schema as Json;
      return [id, rest];
    }),
  );
}
