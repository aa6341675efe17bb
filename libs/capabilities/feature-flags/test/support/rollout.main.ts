import { createHash } from 'node:crypto';
import { documentOf } from '../../src/evaluation/settings.js';
import { engineOf } from './compile.js';

const flags = engineOf(documentOf({ 'new-dashboard': { rollout: 20 } }).flags);
const users = Array.from({ length: 10_000 }, (_, index) => `user-${index}`).filter(targetingKey =>
  flags.isEnabled('new-dashboard', { targetingKey }),
);
process.stdout.write(`users: ${createHash('sha256').update(users.join(' ')).digest('hex')} ${users.length}\n`);
