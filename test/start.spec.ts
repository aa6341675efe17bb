const { apps, placeOf } = require('../tools/start/apps.js') as {
  apps: { name: string; portAbove: number }[];
  placeOf(
    app: { name: string; portAbove: number },
    args: string[],
    env: Record<string, string>,
  ): { args: string[]; env: Record<string, string> };
};

describe('the ports of npm start', () => {
  const [api, worker] = apps as [(typeof apps)[0], (typeof apps)[0]];

  it.each([
    ['nobody says anything', [], {}, { args: [], env: { HTTP_PORT: '3082' } }],
    ['the environment does', [], { PORT: '8080', A: 'b' }, { args: [], env: { A: 'b', HTTP_PORT: '8162' } }],
    [
      'an argument does',
      ['--http.port=4000', '--x=1'],
      { HTTP_PORT: '5000' },
      { args: ['--x=1'], env: { HTTP_PORT: '4082' } },
    ],
    ['an argument with a blank does', ['--http.port', '4000'], {}, { args: [], env: { HTTP_PORT: '4082' } }],
    ['any free one will do', [], { APP_PORT: '0' }, { args: [], env: { HTTP_PORT: '0' } }],
  ])('are the worker’s own when %s', (_when, args, env, place) => {
    expect(placeOf(worker, args, env as Record<string, string>)).toEqual(place);
    expect(placeOf(api, args, env as Record<string, string>)).toEqual({ args, env });
  });
});
