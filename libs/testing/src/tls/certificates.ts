import { generateKeyPairSync, type KeyObject, randomBytes, sign } from 'node:crypto';

/** A certificate and its key, as PEM. */
export interface Certificate {
  readonly cert: string;
  readonly key: string;
}

/** An authority that signs certificates for specs. */
export interface Authority extends Certificate {
  /** @param names DNS names and IPv4 addresses; none for a client */
  issue(commonName: string, names?: readonly string[]): Certificate;
}

const tlv = (tag: number, ...parts: Buffer[]): Buffer => {
  const body = Buffer.concat(parts);
  const { length: size } = body;
  // As short as can be: Java encodes it anew before it verifies the signature.
  const length = size < 0x80 ? [size] : size < 0x100 ? [0x81, size] : [0x82, size >> 8, size & 0xff];
  return Buffer.concat([Buffer.from([tag, ...length]), body]);
};
const sequence = (...parts: Buffer[]) => tlv(0x30, ...parts);
const oid = (hex: string) => tlv(0x06, Buffer.from(hex, 'hex'));
const bits = (body: Buffer) => tlv(0x03, Buffer.from([0]), body);
const time = (at: Date) => tlv(0x17, Buffer.from(`${at.toISOString().replace(/\D/g, '').slice(2, 14)}Z`));
const name = (common: string) => sequence(tlv(0x31, sequence(oid('550403'), tlv(0x0c, Buffer.from(common)))));
const ecdsaWithSha256 = sequence(oid('2a8648ce3d040302'));

function basicConstraints(): Buffer {
  return sequence(oid('551d13'), tlv(0x01, Buffer.from([0xff])), tlv(0x04, sequence(tlv(0x01, Buffer.from([0xff])))));
}

function alternativeNames(names: readonly string[]): Buffer {
  const entries = names.map(entry =>
    /^[\d.]+$/.test(entry) ? tlv(0x87, Buffer.from(entry.split('.').map(Number))) : tlv(0x82, Buffer.from(entry)),
  );
  return sequence(oid('551d11'), tlv(0x04, sequence(...entries)));
}

/** An X.509 v3 certificate, valid from yesterday for a month. */
function certificate(subject: string, publicKey: KeyObject, issuer: string, issuerKey: KeyObject, extension?: Buffer) {
  const day = 86_400_000;
  const body = sequence(
    tlv(0xa0, tlv(0x02, Buffer.from([2]))),
    tlv(0x02, Buffer.concat([Buffer.from([1]), randomBytes(8)])),
    ecdsaWithSha256,
    name(issuer),
    sequence(time(new Date(Date.now() - day)), time(new Date(Date.now() + 30 * day))),
    name(subject),
    publicKey.export({ type: 'spki', format: 'der' }),
    ...(extension ? [tlv(0xa3, sequence(extension))] : []),
  );
  const der = sequence(body, ecdsaWithSha256, bits(sign('sha256', body, issuerKey)));
  return `-----BEGIN CERTIFICATE-----\n${der.toString('base64').replace(/.{64}/g, '$&\n')}\n-----END CERTIFICATE-----\n`;
}

const pem = (key: KeyObject) => String(key.export({ type: 'pkcs8', format: 'pem' }));

/** A self-signed authority, made on the spot: no key is kept in the repository. */
export function certificateAuthority(subject: string): Authority {
  const own = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  return {
    cert: certificate(subject, own.publicKey, subject, own.privateKey, basicConstraints()),
    key: pem(own.privateKey),
    issue: (commonName, names = []) => {
      const { publicKey, privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
      const extension = names.length > 0 ? alternativeNames(names) : undefined;
      return { cert: certificate(commonName, publicKey, subject, own.privateKey, extension), key: pem(privateKey) };
    },
  };
}

/** The certificates of a server and what its clients need. @internal */
export interface ServerCertificates {
  ca: string;
  server: Certificate;
  client: Certificate;
}

/** What a client of a server with TLS needs, as PEM; fit for `tls.connect`. */
export interface ClientTls {
  ca: string;
  /** A certificate of the client's own, and its key. */
  cert: string;
  key: string;
}

/** Made on the spot, for a server of this machine. @internal */
export function serverCertificates(client = 'spec-client'): ServerCertificates {
  const authority = certificateAuthority('Spec authority');
  return {
    ca: authority.cert,
    server: authority.issue('localhost', ['localhost', '127.0.0.1']),
    client: authority.issue(client),
  };
}
