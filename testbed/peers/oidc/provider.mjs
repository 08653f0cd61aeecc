// An OpenID Connect provider for the tests of the hub: oidc-provider (OpenID Certified), with its development pages, on which anybody
// signs in as who they type. It is told in one argument, in JSON, what to be; it says `listening` when it is ready. Each start makes
// a new key under a new name.
//
//   { port, client_id, client_secret?, redirect_uri, id_token_claims }
//
// `id_token_claims`: it says in the ID token what it otherwise says at its userinfo endpoint alone.
//
// `wang.li` signs in as the subject `sub-wang.li`, `wang.li=7` as the subject `7` of the same name.

import { generateKeyPairSync, randomUUID } from 'node:crypto';
import Provider from 'oidc-provider';

const given = JSON.parse(process.argv[2]);

const { privateKey } = generateKeyPairSync('rsa', { modulusLength: 2048 });
const key = { ...privateKey.export({ format: 'jwk' }), kid: randomUUID(), use: 'sig', alg: 'RS256' };

function claimsOf(typed) {
  const [name, sub = `sub-${name}`] = typed.split('=');
  return { sub, preferred_username: name, email: `${name}@school.example`, email_verified: !name.startsWith('unverified') };
}

const client = {
  client_id: given.client_id,
  redirect_uris: [given.redirect_uri],
  grant_types: ['authorization_code'],
  response_types: ['code'],
};
const provider = new Provider(`http://127.0.0.1:${given.port}`, {
  clients: [given.client_secret ? { ...client, client_secret: given.client_secret } : { ...client, token_endpoint_auth_method: 'none' }],
  pkce: { methods: ['S256'], required: () => true },
  claims: { openid: ['sub'], profile: ['preferred_username'], email: ['email', 'email_verified'] },
  conformIdTokenClaims: !given.id_token_claims,
  jwks: { keys: [key] },
  cookies: { keys: ['of no worth'] },
  findAccount: (_, typed) => ({ accountId: typed, claims: () => claimsOf(typed) }),
});
provider.listen(given.port, '127.0.0.1', () => console.log('listening'));
