import { Inject, Injectable, Optional } from '@nestjs/common';
import { HttpAdapterHost } from '@nestjs/core';
import { AppState, InfraError, RequestContext } from '@core-infra/kernel';
import { HealthRefusedError } from './errors.js';
import { HealthAccess } from './health.access.js';
import { HealthConfig } from './health.config.js';
import { type HealthAnswer, type HealthRequest, serve } from './health.http.js';
import { type HealthReport, type HealthStatus, overallStatus, reportOf } from './health.report.js';
import { HealthService } from './health.service.js';

const httpStatus: Record<HealthStatus, number> = {
  ok: 200,
  degraded: 200,
  error: 503,
  shutting_down: 503,
  starting: 503,
};

/** The five routes. They are put on the HTTP adapter itself: no prefix, version, guard or interceptor of the app reaches them. */
@Injectable()
export class HealthRoutes {
  /** What was written of a report, so that probes that share a report share its text too. */
  private readonly written = new WeakMap<HealthReport, { public?: HealthAnswer; detailed?: HealthAnswer }>();

  constructor(
    private readonly config: HealthConfig,
    private readonly health: HealthService,
    private readonly access: HealthAccess,
    private readonly state: AppState,
    private readonly host: HttpAdapterHost,
    @Optional() @Inject(RequestContext) private readonly context: RequestContext = RequestContext.none,
  ) {}

  mount(): void {
    const { httpAdapter } = this.host;
    const { path } = this.config;
    if (!httpAdapter || path === '') return;
    const route = (suffix: string, answer: (request: HealthRequest) => HealthAnswer | Promise<HealthAnswer>) =>
      serve(httpAdapter, path + suffix, this.state, request => this.answered(answer, request));
    route('/live', request => this.live(request));
    route('/ready', request => this.ready(request));
    route('/startup', request => this.startup(request));
    route('', request => this.all(request));
    route('/:name', request => this.one(request));
  }

  private all(request: HealthRequest): HealthAnswer | Promise<HealthAnswer> {
    const detailed = this.sees(request);
    this.assertOpen(detailed);
    const known = this.health.fresh();
    if (known) return this.write(known, detailed);
    return this.health.check().then(report => this.write(report, detailed));
  }

  private async one(request: HealthRequest): Promise<HealthAnswer> {
    const detailed = this.sees(request);
    this.assertOpen(detailed);
    const check = await this.health.check(request.name ?? '');
    return this.write(reportOf(this.phase() ?? overallStatus([check]), [check]), detailed);
  }

  /** As long as this line is reached the loop turns; more is asked only where it is configured, and never of a server. */
  private live(request: HealthRequest): HealthAnswer | Promise<HealthAnswer> {
    const { liveness } = this.config;
    if (liveness.length === 0) return this.write(this.alive, false);
    return this.health.some(liveness).then(report => this.write(report, this.sees(request)));
  }

  private ready(request: HealthRequest): HealthAnswer | Promise<HealthAnswer> {
    const detailed = this.sees(request);
    const phase = this.phase();
    const known = phase === 'starting' ? reportOf(phase, []) : this.health.fresh();
    if (known) return this.write(known, detailed);
    return this.health.check().then(report => this.write(report, detailed));
  }

  private startup(_request: HealthRequest): HealthAnswer {
    return this.write(this.state.phase === 'starting' ? reportOf('starting', []) : this.alive, false);
  }

  private readonly alive = reportOf('ok', []);

  private phase(): 'starting' | 'shutting_down' | undefined {
    if (this.state.shuttingDown.aborted) return 'shutting_down';
    return this.state.phase === 'starting' ? 'starting' : undefined;
  }

  private sees({ authorization, remoteAddress }: HealthRequest): boolean {
    return this.access.allows(authorization, remoteAddress);
  }

  private assertOpen(authorised: boolean): void {
    if (this.config.guarded && !authorised) throw new HealthRefusedError();
  }

  private write(report: HealthReport, detailed: boolean): HealthAnswer {
    let written = this.written.get(report);
    if (!written) this.written.set(report, (written = {}));
    return (written[detailed ? 'detailed' : 'public'] ??= {
      status: httpStatus[report.status],
      body: JSON.stringify(detailed ? report : publicly(report)),
    });
  }

  /** Turns an error of ours into its answer. */
  private answered(
    answer: (request: HealthRequest) => HealthAnswer | Promise<HealthAnswer>,
    request: HealthRequest,
  ): HealthAnswer | Promise<HealthAnswer> {
    const requestId = this.context.current?.requestId;
    try {
      const given = answer(request);
      return given instanceof Promise ? given.catch((error: unknown) => refusal(error, requestId)) : given;
    } catch (error) {
      return refusal(error, requestId);
    }
  }
}

/** Names and states, and nothing else: no address, no error, no figure. */
function publicly({ status, checks }: HealthReport): object {
  return {
    status,
    checks: Object.fromEntries(Object.entries(checks).map(([name, check]) => [name, { status: check.status }])),
  };
}

function refusal(error: unknown, requestId: string | undefined): HealthAnswer {
  if (!(error instanceof InfraError)) throw error;
  const details = { request_id: requestId, ...('known' in error ? { known: error.known } : {}) };
  return {
    status: error.status,
    body: JSON.stringify({ success: false, error: error.problem, error_code: error.code, details }),
  };
}
