import type { Operation } from '@core-infra/kernel';

/** A histogram of one component's calls, beside the one of all components, under the name that dashboards ask for. */
export interface ComponentTimes {
  readonly name: string;
  readonly help: string;
  readonly label: string;
  labelOf(call: Operation): string;
}

/** The names do not begin with `infra_`: services had them before there was a common one. */
export const operationTable: Readonly<Record<string, ComponentTimes>> = {
  health: {
    name: 'health_check_duration_seconds',
    help: 'How long health checks took.',
    label: 'check_name',
    labelOf: call => call.connection,
  },
  redis: {
    name: 'redis_operation_duration_seconds',
    help: 'How long commands of Redis took.',
    label: 'command',
    labelOf: call => call.operation,
  },
};
