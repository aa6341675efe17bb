export { commands } from './bigkeys/commands.js';
