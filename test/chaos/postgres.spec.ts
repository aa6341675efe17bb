import { underLoad } from './support/acts.js';

underLoad('postgres');
