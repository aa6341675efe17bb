import type { BenchCase } from '../harness/bench-case.js';
import { boot } from './boot.case.js';
import { configRead } from './config-read.case.js';
import { health } from './health.case.js';
import { httpGet } from './http-get.case.js';
import { logLine } from './log-line.case.js';

export const cases: readonly BenchCase[] = [httpGet, logLine, configRead, health, boot];
