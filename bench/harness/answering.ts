import type { Answer } from './child.js';

/**
 * The other end of a `Child`: answers each question of the process that started this one, and says when there are no more.
 * @param onEnd Called once that process has no more questions, or is gone. What keeps this process alive has to go then.
 */
export function answering<Question>(
  answer: (question: Question) => Promise<unknown>,
  onEnd?: () => Promise<void> | undefined,
): void {
  process.on('message', question => {
    answer(question as Question).then(
      value => send({ answer: value }),
      error => send({ failure: error instanceof Error ? (error.stack ?? error.message) : String(error) }),
    );
  });
  // A rejection ends the process with its stack, and that is all that is left to do.
  process.once('disconnect', () => void onEnd?.());
}

function send(message: Answer): void {
  if (process.connected) process.send!(message);
}
