import type { ScriptSpec } from './redis.link.js';

/**
 * The document, unless it is the one that the caller has seen: KEYS the hash; ARGV its revision and its length. A hand edit may leave the
 * revision as it is, but hardly ever the length too.
 * Answers nothing at all where there is none, and the version alone where it is the known one.
 */
export const readScript: ScriptSpec = {
  name: 'flags-read',
  keys: 1,
  source: `
local found = redis.call('HMGET', KEYS[1], 'version', 'revision')
local length = redis.call('HSTRLEN', KEYS[1], 'document')
if redis.call('EXISTS', KEYS[1]) == 0 then return {} end
if (found[2] or '') == ARGV[1] and tostring(length) == ARGV[2] then return {found[1] or ''} end
return {found[1] or '', found[2] or '', redis.call('HGET', KEYS[1], 'document') or ''}
`,
};

/**
 * A change as one step: KEYS the hash and the history; ARGV revision and length of what it was made on top of, the new version, revision and
 * document, the channel, how many lines of the history to keep, the lines of these changes.
 * Answers 1, or 0 where something else is there by now.
 */
export const writeScript: ScriptSpec = {
  name: 'flags-write',
  keys: 2,
  source: `
local revision = redis.call('HGET', KEYS[1], 'revision') or ''
local length = redis.call('EXISTS', KEYS[1]) == 1 and redis.call('HSTRLEN', KEYS[1], 'document') or -1
if revision ~= ARGV[1] or tostring(length) ~= ARGV[2] then return 0 end
redis.call('HSET', KEYS[1], 'version', ARGV[3], 'revision', ARGV[4], 'document', ARGV[5])
for line = 8, #ARGV do redis.call('LPUSH', KEYS[2], ARGV[line]) end
redis.call('LTRIM', KEYS[2], 0, tonumber(ARGV[7]) - 1)
redis.call('PUBLISH', ARGV[6], ARGV[4])
return 1
`,
};

/**
 * Puts a document where there is none: KEYS the hash; ARGV version, revision, document, the channel.
 * Answers 1, or 0 where another process was first.
 */
export const restoreScript: ScriptSpec = {
  name: 'flags-restore',
  keys: 1,
  source: `
if redis.call('EXISTS', KEYS[1]) == 1 then return 0 end
redis.call('HSET', KEYS[1], 'version', ARGV[1], 'revision', ARGV[2], 'document', ARGV[3])
redis.call('PUBLISH', ARGV[4], ARGV[2])
return 1
`,
};
