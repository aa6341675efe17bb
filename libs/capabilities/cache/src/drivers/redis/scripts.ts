import { luaScript } from '@core-infra/redis';

// Positions in a record (record.ts), counted from 0: kind 2, owner 4–19, lease end 20–33, name of the write 34–49.

const now = `
local t = redis.call('TIME')
local now = t[1] * 1000 + math.floor(t[2] / 1000)
`;

/**
 * Takes the lease of an entry. ARGV: token, milliseconds, the write that was seen (`''` none, `*` any), whether by force, and the place in the log
 * (leases.ts) that the owner asked at or after: a load from before an invalidation is waited for by nobody.
 */
export const leadScript = luaScript({
  name: 'cache-lead',
  keys: 1,
  source: `${now}
local head = redis.call('GETRANGE', KEYS[1], 0, 49)
local till = string.format('%014.0f', now + tonumber(ARGV[2]))
if #head < 50 then
  redis.call('SET', KEYS[1], 'C1- ' .. ARGV[1] .. till .. string.rep('-', 16), 'PX', ARGV[2])
  return 'lead'
end
local owner, ends, rev = head:sub(5, 20), tonumber(head:sub(21, 34)) or 0, head:sub(35, 50)
if ARGV[4] ~= '1' then
  if owner ~= string.rep('-', 16) and ends > now and owner:sub(1, 10) >= ARGV[5] then
    return 'wait:' .. string.format('%.0f', ends - now)
  end
  if head:sub(3, 3) ~= '-' and ARGV[3] ~= '*' and rev ~= ARGV[3] then return 'changed' end
end
redis.call('SETRANGE', KEYS[1], 4, ARGV[1] .. till)
if head:sub(3, 3) == '-' then redis.call('PEXPIRE', KEYS[1], ARGV[2]) end
return 'lead'`,
});

/** Goes on with a lease. ARGV: token, milliseconds. */
export const renewScript = luaScript({
  name: 'cache-renew',
  keys: 1,
  source: `${now}
local head = redis.call('GETRANGE', KEYS[1], 0, 19)
if head:sub(5, 20) ~= ARGV[1] then return 0 end
redis.call('SETRANGE', KEYS[1], 20, string.format('%014.0f', now + tonumber(ARGV[2])))
if head:sub(3, 3) == '-' then redis.call('PEXPIRE', KEYS[1], ARGV[2]) end
return 1`,
});

/** Gives a lease up. ARGV: token. */
export const releaseScript = luaScript({
  name: 'cache-release',
  keys: 1,
  source: `
local head = redis.call('GETRANGE', KEYS[1], 0, 19)
if head:sub(5, 20) ~= ARGV[1] then return 0 end
if head:sub(3, 3) == '-' then redis.call('DEL', KEYS[1])
else redis.call('SETRANGE', KEYS[1], 4, string.rep('-', 16) .. string.rep('0', 14)) end
return 1`,
});

/** Writes the value of a load if the lease is still held: whatever invalidated the entry took it. ARGV: token, record, milliseconds. */
export const storeScript = luaScript({
  name: 'cache-store',
  keys: 1,
  source: `
if redis.call('GETRANGE', KEYS[1], 4, 19) ~= ARGV[1] then return 0 end
redis.call('SET', KEYS[1], ARGV[2], 'PX', ARGV[3])
return 1`,
});

/** Marks of a namespace are kept so long after it was last opened or invalidated: 30 days. */
const keep = `redis.call('PEXPIRE', KEYS[2], 2592000000)`;
/** Fields: c cleared, f the floor of forgotten tags, p prefixes as JSON, t:<tag>. */
const most = { tags: 10_000, prefixes: 512 };

const logged = `local id = redis.call('XADD', KEYS[1], 'MAXLEN', '~', ARGV[1], '*', 'm', ARGV[2])`;

/** So many tags of a namespace are learned when it is opened; of more, each when it is first met. */
const MOST_TAGS_AT_ONCE = 1_000;

/**
 * Reads a namespace's marks. Marks that are not there were never made, or were lost: then the namespace counts as cleared now.
 * KEYS: log, marks. ARGV: length of the log, the message that says so.
 */
export const openScript = luaScript({
  name: 'cache-open',
  keys: 2,
  source: `
local marks = redis.call('HMGET', KEYS[2], 'c', 'f', 'p')
if not marks[1] then
  ${logged}
  redis.call('HSET', KEYS[2], 'c', id)
  marks = { id, false, false }
end
${keep}
local tags = false
if redis.call('HLEN', KEYS[2]) <= ${MOST_TAGS_AT_ONCE} then tags = redis.call('HGETALL', KEYS[2]) end
return { marks[1], marks[2] or '', marks[3] or '', tags }`,
});

/** Marks an invalidation and logs it, as one. KEYS: log, marks. ARGV: length of the log, message, kind, names. */
export const markScript = luaScript({
  name: 'cache-mark',
  keys: 2,
  source: `${logged}
local kind = ARGV[3]
if kind == 'clear' or redis.call('HEXISTS', KEYS[2], 'c') == 0 then
  redis.call('DEL', KEYS[2])
  redis.call('HSET', KEYS[2], 'c', id)
end
if kind == 'tags' then
  for i = 4, #ARGV do redis.call('HSET', KEYS[2], 't:' .. ARGV[i], id) end
  if redis.call('HLEN', KEYS[2]) > ${most.tags} then
    local c, p = redis.call('HGET', KEYS[2], 'c'), redis.call('HGET', KEYS[2], 'p')
    redis.call('DEL', KEYS[2])
    redis.call('HSET', KEYS[2], 'c', c, 'f', id)
    if p then redis.call('HSET', KEYS[2], 'p', p) end
  end
elseif kind == 'prefix' then
  local text = redis.call('HGET', KEYS[2], 'p')
  local old, new = text and cjson.decode(text) or {}, {}
  for _, mark in ipairs(old) do if mark[1] ~= ARGV[4] then new[#new + 1] = mark end end
  new[#new + 1] = { ARGV[4], id }
  if #new > ${most.prefixes} then
    redis.call('HSET', KEYS[2], 'c', id)
    redis.call('HDEL', KEYS[2], 'p', 'f')
  else
    redis.call('HSET', KEYS[2], 'p', cjson.encode(new))
  end
end
${keep}
return id`,
});
