import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import type { DynamicModule } from '@nestjs/common';
import type { ConfigProblem } from '@core-infra/kernel';
import { bootInfra, type Importable, type InfraApp } from '@core-infra/testing';
import { ConfigModule, type ConfigModuleOptions } from '@core-infra/config';

/** A folder for one spec, gone at the end of its block. */
export class Workspace implements Disposable {
  readonly root = mkdtempSync(path.join(tmpdir(), 'core-infra-config-'));

  constructor(files: Record<string, string | Buffer> = {}) {
    for (const [name, content] of Object.entries(files)) this.write(name, content);
  }

  path(name: string): string {
    return path.join(this.root, name);
  }

  write(name: string, content: string | Buffer): void {
    mkdirSync(path.dirname(this.path(name)), { recursive: true });
    writeFileSync(this.path(name), content);
  }

  /** The module on this folder alone: nothing of the process that runs the specs is seen. */
  module(options: ConfigModuleOptions = {}): DynamicModule {
    return ConfigModule.forRoot({ root: this.root, env: {}, argv: [], watch: false, ...options });
  }

  boot(options: ConfigModuleOptions, ...modules: Importable[]): Promise<InfraApp> {
    return bootInfra(this.module(options), ...modules);
  }

  /** The problems that a boot is refused with. */
  async problems(options: ConfigModuleOptions, ...modules: Importable[]): Promise<readonly ConfigProblem[]> {
    const error = await this.refusal(options, ...modules);
    return (error as Error & { problems?: readonly ConfigProblem[] }).problems ?? [];
  }

  async refusal(options: ConfigModuleOptions, ...modules: Importable[]): Promise<Error> {
    let app: InfraApp;
    try {
      app = await this.boot(options, ...modules);
    } catch (error) {
      return error as Error;
    }
    await app.close();
    throw new Error('The boot was expected to be refused.');
  }

  [Symbol.dispose](): void {
    rmSync(this.root, { recursive: true, force: true });
  }
}
