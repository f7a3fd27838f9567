/** Statements about members as the server checks them: hash and signature over the text that the contract makes of them. */
import { createHash, createPublicKey, verify } from 'node:crypto';
import { statementText, type MembershipStatement, type UnsignedStatement } from '@siphera/contract';

/** SHA-256 (hex) of what is signed: `prev` of the next statement. */
export const statementHash = (statement: UnsignedStatement): string =>
  createHash('sha256').update(statementText(statement)).digest('hex');

/** @param key Ed25519 public key, unpadded base64. */
export function isSignedBy(statement: MembershipStatement, key: string): boolean {
  const signature = Buffer.from(statement.signature, 'base64');
  if (signature.length !== 64) return false;
  const publicKey = createPublicKey({
    key: { kty: 'OKP', crv: 'Ed25519', x: Buffer.from(key, 'base64').toString('base64url') },
    format: 'jwk',
  });
  return verify(null, Buffer.from(statementText(statement)), publicKey, signature);
}
