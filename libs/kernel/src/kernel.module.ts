import { Module } from '@nestjs/common';
import { AppState } from './app-state.js';
import { Connections } from './connections/connections.js';

/** One per application: every concern imports it, and so shares its {@link Connections}. */
@Module({ providers: [AppState, Connections], exports: [AppState, Connections] })
export class KernelModule {}
