import { expect, it } from 'vitest';
import { child, parseXml, textOf } from './xml.ts';

it('reads what clients send: prefixes, default namespaces, entities, CDATA, comments', () => {
  const root = parseXml(`<?xml version="1.0"?><!-- a -->
    <a:E xmlns:a="urn:a" xmlns='urn:d'><B c="1 &lt; 2" a:d='x'>t&amp;u&#65;<![CDATA[<raw>]]></B><a:C/></a:E>`);
  expect(root).toMatchObject({ name: 'E', namespace: 'urn:a' });
  expect(child(root, 'B')).toMatchObject({ namespace: 'urn:d', attributes: { c: '1 < 2', d: 'x' } });
  expect(textOf(root, 'B')).toBe('t&uA<raw>');
  expect(child(root, 'C')).toMatchObject({ namespace: 'urn:a', children: [] });
  expect(textOf(root, 'B', 'D')).toBeUndefined();
});

it.each(['', '<a>', '<a></b>', '</a>', '<a', 'text <'])('takes no half of a document: %s', (text) => {
  expect(parseXml(text)).toBeUndefined();
});
