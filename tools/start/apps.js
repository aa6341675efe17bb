'use strict';

/** The sample's apps; each listens so many ports above the first one's. */
const apps = [
  { name: 'orders-api', portAbove: 0 },
  { name: 'orders-worker', portAbove: 82 },
];

const DEFAULT_PORT = 3000;
const variables = ['HTTP_PORT', 'APP_PORT', 'SERVER_PORT', 'PORT'];

/**
 * One port cannot be everybody's: what the command line and the environment say is the first app's, and the others are told theirs.
 * Port 0 is a free one for each.
 * @returns the arguments and the environment of an app
 */
function placeOf({ portAbove }, args, env) {
  if (portAbove === 0) return { args, env };
  const { rest, port = variables.map(name => env[name]).find(Boolean) } = withoutPort(args);
  const first = Number(port ?? DEFAULT_PORT);
  const others = Object.fromEntries(Object.entries(env).filter(([name]) => !variables.includes(name)));
  return { args: rest, env: { ...others, HTTP_PORT: String(first && first + portAbove) } };
}

function withoutPort(args) {
  const at = args.findIndex(arg => /^--http\.port(=|$)/.test(arg));
  if (at < 0) return { rest: args };
  const [, inline] = args[at].split('=');
  return { port: inline ?? args[at + 1], rest: args.toSpliced(at, inline === undefined ? 2 : 1) };
}

module.exports = { apps, placeOf };
