export { commands } from './migrations/commands.js';
