/** Statements about members as the server checks them: hash and signature over the text that the contract makes of them. */
import { createHash } from 'node:crypto';
import { statementText, type MembershipStatement, type UnsignedStatement } from '@siphera/contract';
import { isSignature } from './ed25519.ts';

/** SHA-256 (hex) of what is signed: `prev` of the next statement. */
export const statementHash = (statement: UnsignedStatement): string =>
  createHash('sha256').update(statementText(statement)).digest('hex');

/** @param key Ed25519 public key of `by_device`, unpadded base64. */
export const isStatementSigned = (statement: MembershipStatement, key: string): boolean =>
  isSignature(key, statementText(statement), statement.signature);
