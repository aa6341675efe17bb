import type { CheckedRule } from './limit-rule.js';
import type { StoreAnswer } from './process-limits.js';

/**
 * GCRA as in gcra.ts, for all requests of one rule that are there at the time; on doubles that hold whole numbers, as Lua has no others. A
 * caller's state is one string: 8 bytes for the time, and for each window. ARGV: the number of windows; limit and length of each; the cost
 * for each key. The reply: the server's time; for each key the wait and the levels. A request that does not pass writes nothing, unless the
 * server's clock went back: levels of a time to come would not drain until then.
 */
export const gcraLua = `
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
local count = tonumber(ARGV[1])
local format = '<' .. string.rep('d', count + 1)
local size = 8 * (count + 1)
local limits, weights, fulls = {}, {}, {}
for i = 1, count do
  limits[i] = tonumber(ARGV[2 * i])
  weights[i] = tonumber(ARGV[2 * i + 1])
  fulls[i] = limits[i] * weights[i]
end
local reply = { now }
local last = 1
for k = 1, #KEYS do
  local key = KEYS[k]
  local cost = tonumber(ARGV[2 * count + 1 + k])
  local asked = cost == 0 and 1 or cost
  local kept = redis.call('GET', key)
  local state, passed, back = nil, 0, false
  if kept and #kept == size then
    state = { struct.unpack(format, kept) }
    passed = now - state[1]
    if passed < 0 then passed, back = 0, true end
  end
  local wait = 0
  for i = 1, count do
    local level = state and state[i + 1] - passed * limits[i] or 0
    if level < 0 then level = 0 end
    reply[last + 1 + i] = level
    local excess = level + asked * weights[i] - fulls[i]
    if excess > 0 then wait = math.max(wait, math.ceil(excess / limits[i])) end
  end
  reply[last + 1] = wait
  local takes = wait == 0 and cost > 0
  if takes or back then
    local drain = 1
    for i = 1, count do
      if takes then reply[last + 1 + i] = reply[last + 1 + i] + cost * weights[i] end
      drain = math.max(drain, math.ceil(reply[last + 1 + i] / limits[i]))
    end
    redis.call('SET', key, struct.pack(format, now, unpack(reply, last + 2, last + 1 + count)), 'PX', drain)
  end
  last = last + 1 + count
end
return reply
`;

/** The arguments of the script for requests that cost so much. */
export function gcraArguments(rule: CheckedRule, costs: readonly number[]): number[] {
  return [...rule.numbers, ...costs];
}

/** What the script's reply says, in the order of the keys. */
export function gcraAnswers(rule: CheckedRule, reply: readonly number[]): StoreAnswer[] {
  const width = rule.windows.length + 1;
  const answers: StoreAnswer[] = [];
  for (let from = 1; from < reply.length; from += width) {
    answers.push({ waitMs: reply[from]!, levels: reply.slice(from + 1, from + width) });
  }
  return answers;
}
