export { memory as driver } from './memory.js';
