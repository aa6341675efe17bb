'use strict';

const { ensureInstalled } = require('./install.js');
const { run } = require('./spawn.js');
const { tasks } = require('./tasks.js');

/** Installs what is missing, then runs the steps of a task one after the other, up to the first that fails. */
async function main(name, args) {
  const task = Object.hasOwn(tasks, name ?? '') ? tasks[name] : undefined;
  if (!task) {
    const width = Math.max(...Object.keys(tasks).map(key => key.length));
    const list = Object.entries(tasks).map(([key, { about }]) => `  ${key.padEnd(width)}  ${about}`);
    console.error(
      `${name ? `There is no task "${name}". ` : ''}Usage: node tools/run.js <task> [arguments]\n${list.join('\n')}`,
    );
    process.exitCode = 1;
    return;
  }
  const problem = ensureInstalled();
  if (problem) {
    console.error(problem);
    process.exitCode = 1;
    return;
  }
  for (const step of task.steps(args)) {
    const code = await run(step);
    if (code !== 0) {
      process.exitCode = code;
      return;
    }
  }
}

module.exports = { main };
