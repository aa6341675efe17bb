export { commands } from './cli/commands.js';
