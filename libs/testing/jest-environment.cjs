/**
 * Jest's Node environment, in which specs whose server cannot be had are skipped, with the reason, instead of failing: for
 * `testEnvironment` in Jest's configuration. Plain JavaScript, as Jest loads it before any transformation.
 *
 * `usePostgres()`, `useRedis()` and their like find it by a symbol (src/dev-services/spec-needs.ts).
 */
'use strict';
const { relative } = require('node:path');
const { TestEnvironment } = require('jest-environment-node');

/** What is found out once in this process, for all spec files that it runs. */
const remembered = new Map();

class CoreInfraEnvironment extends TestEnvironment {
  #file;
  #state;
  #skipped = new Map();

  constructor(config, context) {
    super(config, context);
    this.#file = relative(config.globalConfig.rootDir, context.testPath);
    this.global[Symbol.for('core-infra.testing')] = {
      /** Skips the block that is being defined, or the whole file. */
      skip: reason => void this.#skipped.set(this.#state.currentDescribeBlock, reason),
      remember: (name, compute) => {
        if (!remembered.has(name)) remembered.set(name, compute());
        return remembered.get(name);
      },
    };
  }

  handleTestEvent(event, state) {
    this.#state = state;
    if (event.name !== 'run_start') return;
    for (const [block, reason] of this.#skipped) {
      skip(block);
      process.stderr.write(`SKIPPED ${[this.#file, ...titles(block)].join(' › ')}: ${reason}\n`);
    }
  }
}

/** With everything in it, also what says `only`; hooks of a block without a spec to run are not run. */
function skip(block) {
  block.mode = 'skip';
  for (const child of block.children) {
    if (child.type === 'describeBlock') skip(child);
    else child.mode = 'skip';
  }
}

function titles(block) {
  return block.parent ? [...titles(block.parent), block.name] : [];
}

module.exports = CoreInfraEnvironment;
