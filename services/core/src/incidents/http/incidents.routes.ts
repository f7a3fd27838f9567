/** Handlers of the incident and procedure routes. */
import { createHash } from 'node:crypto';
import { AppError, type Handlers } from '@siphera/runtime';
import { contextOf, type AppDeps } from '../../app-deps.ts';
import { noteLook } from '../../audit/http/note-look.ts';
import type { incidentRoutes } from '../../http-routes.ts';
import { reencodePhoto } from '../../registry/adapters/plan-picture.ts';
import { readTranscript } from '../domain/transcript.ts';

type Stored = { bytes: Buffer; mediaType: string; name: string };

/** Pictures are encoded anew; a document is kept as it is and only ever handed out as a download. */
async function clean(upload: Stored | undefined): Promise<Stored> {
  if (!upload) throw new AppError('malformed_body', 'The body is empty.');
  if (upload.mediaType.startsWith('image/')) {
    return {
      bytes: await reencodePhoto(upload.bytes),
      mediaType: 'image/jpeg',
      name: `${upload.name.replace(/\.[A-Za-z0-9]{1,5}$/, '') || 'picture'}.jpg`,
    };
  }
  if (upload.mediaType === 'application/pdf' && !upload.bytes.subarray(0, 1_024).includes('%PDF-'))
    throw new AppError('unprocessable', 'That is not a PDF.');
  return upload;
}

export function incidentHandlers(app: AppDeps): Handlers<incidentRoutes> {
  const { box } = app;
  return {
    listIncidents: (call) => box.read('listIncidents', contextOf(call), call.query),
    createIncident: (call) => box.write('createIncident', contextOf(call), call.body),
    getIncident: (call) => box.read('getIncident', contextOf(call), call.params),
    listTimeline: (call) => box.read('listTimeline', contextOf(call), { ...call.params, ...call.query }),
    acknowledgeIncident: (call) =>
      box.write('acknowledgeIncident', contextOf(call), { ...call.params, ...call.body }),
    assignIncident: (call) => box.write('assignIncident', contextOf(call), { ...call.params, ...call.body }),
    resolveIncident: (call) =>
      box.write('resolveIncident', contextOf(call), { ...call.params, ...call.body }),
    closeIncident: (call) => box.write('closeIncident', contextOf(call), { ...call.params, ...call.body }),
    reopenIncident: (call) => box.write('reopenIncident', contextOf(call), { ...call.params, ...call.body }),
    setIncidentSeverity: (call) =>
      box.write('setIncidentSeverity', contextOf(call), { ...call.params, ...call.body }),
    tickIncidentStep: (call) =>
      box.write('tickIncidentStep', contextOf(call), { ...call.params, ...call.body }),
    commentIncident: (call) =>
      box.write('commentIncident', contextOf(call), { ...call.params, ...call.body }),
    addIncidentCall: (call) =>
      box.write('addIncidentCall', contextOf(call), { ...call.params, ...call.body }),
    fileTranscript: async (call) => {
      const { id } = call.params;
      await box.read('requireIncidentAct', contextOf(call), { id });
      const { roomId, file } = readTranscript(call.body, {
        incidentId: id,
        filedBy: call.caller.claims.sub,
      });
      const body = Buffer.from(file);
      return box.write('fileTranscript', contextOf(call), {
        id,
        room_id: roomId,
        device_id: call.body.device_id,
        device_key: call.body.device_key,
        sha256: createHash('sha256').update(body).digest('hex'),
        body,
      });
    },
    attachToIncident: async (call) => {
      const { bytes, mediaType, name } = await clean(call.upload);
      const sha256 = createHash('sha256').update(bytes).digest('hex');
      return box.write('attachToIncident', contextOf(call), {
        ...call.params,
        name,
        media_type: mediaType,
        sha256,
        body: bytes,
      });
    },
    getAttachment: async (call) => {
      const found = await box.read('getAttachment', contextOf(call), call.params);
      await noteLook(app, contextOf(call), 'attachment.viewed', `attachment:${call.params.id}`);
      const body = Buffer.from(found.body);
      // A picture of ours may be shown in the page; anything else is only ever saved.
      return found.media_type === 'image/png' || found.media_type === 'image/jpeg'
        ? { mediaType: found.media_type, body }
        : { mediaType: 'application/octet-stream', body, fileName: found.name };
    },
    listProcedures: (call) => box.read('listProcedures', contextOf(call), {}),
    createProcedure: (call) => box.write('saveProcedure', contextOf(call), call.body),
    putProcedure: (call) => box.write('saveProcedure', contextOf(call), { ...call.params, ...call.body }),
    deleteProcedure: (call) => box.write('deleteProcedure', contextOf(call), call.params),
  };
}
