import { eventually, uniqueName, useRabbitmq } from '@core-infra/testing';
import { EventBus } from '../../src/index.js';
import { bootRabbitmq } from './fixtures/boot-rabbitmq.js';
import { handlerOf, type Step, stepsOf } from './fixtures/steps.js';

jest.setTimeout(60_000);

const server = useRabbitmq();

describe('a group that is declared where events are published', () => {
  it('gets what was published before its first member has run; one that is not declared does not', async () => {
    const steps = stepsOf(uniqueName('steps'));
    const [worker, late] = [uniqueName('worker'), uniqueName('late')];
    await using app = await bootRabbitmq(server.url, { topics: { [steps.type]: { groups: [worker] } as never } });
    for (let at = 0; at < 3; at += 1) await app.get(EventBus).publish(steps.of({ key: 'a', at }));
    const [handled, missed]: [Step[], Step[]] = [[], []];
    await using first = await bootRabbitmq(server.url, { group: worker }, [
      handlerOf(steps, step => handled.push(step)),
    ]);
    await using other = await bootRabbitmq(server.url, { group: late }, [handlerOf(steps, step => missed.push(step))]);
    for (const member of [first, other]) expect(member.get(EventBus)).toBeInstanceOf(EventBus);
    await app.get(EventBus).publish(steps.of({ key: 'a', at: 3 }));
    await eventually(() =>
      expect([handled, missed].map(seen => seen.map(({ at }) => at))).toEqual([[0, 1, 2, 3], [3]]),
    );
  });
});
