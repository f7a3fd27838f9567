/** SOAP 1.2 answers and faults with the namespaces of ONVIF (Core specification, chapter 5). */
import { escapeXml } from './xml.ts';

export const namespaces = {
  s: 'http://www.w3.org/2003/05/soap-envelope',
  wsa: 'http://www.w3.org/2005/08/addressing',
  wsnt: 'http://docs.oasis-open.org/wsn/b-2',
  'wsrf-rw': 'http://docs.oasis-open.org/wsrf/rw-2',
  wstop: 'http://docs.oasis-open.org/wsn/t-1',
  tt: 'http://www.onvif.org/ver10/schema',
  tds: 'http://www.onvif.org/ver10/device/wsdl',
  trt: 'http://www.onvif.org/ver10/media/wsdl',
  tr2: 'http://www.onvif.org/ver20/media/wsdl',
  tev: 'http://www.onvif.org/ver10/events/wsdl',
  tmd: 'http://www.onvif.org/ver10/deviceIO/wsdl',
  tptz: 'http://www.onvif.org/ver20/ptz/wsdl',
  tns1: 'http://www.onvif.org/ver10/topics',
  ter: 'http://www.onvif.org/ver10/error',
  xs: 'http://www.w3.org/2001/XMLSchema',
} as const;

const declarations = Object.entries(namespaces)
  .map(([prefix, uri]) => `xmlns:${prefix}="${uri}"`)
  .join(' ');

/** An expected refusal: becomes a SOAP fault with these subcodes (Core specification, "Fault messages"). */
export class SoapFault extends Error {
  readonly status: number;
  readonly sender: boolean;
  readonly subcodes: readonly string[];

  constructor(options: { reason: string; subcodes: readonly string[]; sender?: boolean; status?: number }) {
    super(options.reason);
    this.sender = options.sender ?? true;
    this.status = options.status ?? (this.sender ? 400 : 500);
    this.subcodes = options.subcodes;
  }
}

export const notAuthorized = (reason: string): SoapFault =>
  new SoapFault({ reason, subcodes: ['ter:NotAuthorized'] });

export const invalidArgument = (subcode: string, reason: string): SoapFault =>
  new SoapFault({ reason, subcodes: ['ter:InvalidArgVal', subcode] });

export const notSupported = (reason: string): SoapFault =>
  new SoapFault({ reason, subcodes: ['ter:ActionNotSupported'], sender: false });

export function envelope(body: string, header = ''): string {
  return `<?xml version="1.0" encoding="UTF-8"?>
<s:Envelope ${declarations}>${header === '' ? '' : `<s:Header>${header}</s:Header>`}<s:Body>${body}</s:Body></s:Envelope>`;
}

export function faultBody(fault: SoapFault): string {
  const subcode = fault.subcodes.reduceRight(
    (inner, code) => `<s:Subcode><s:Value>${code}</s:Value>${inner}</s:Subcode>`,
    '',
  );
  return `<s:Fault><s:Code><s:Value>s:${fault.sender ? 'Sender' : 'Receiver'}</s:Value>${subcode}</s:Code>
<s:Reason><s:Text xml:lang="en">${escapeXml(fault.message)}</s:Text></s:Reason></s:Fault>`;
}
