/** How an address was come by: from a variable, from a program that npm brings, from one that the machine has, or from an image. */
export type Resolution = 'environment' | 'embedded' | 'installed' | 'docker';

/** An account of the operating system that a server runs as, when it refuses to run as root. */
export interface UnixUser {
  uid: number;
  gid: number;
}

/** What a launch plan is made for. */
export interface LaunchPlace {
  /** The server's own folder, absolute. */
  folder: string;
  /** Whether the data must survive a power cut: true for `npm start`, false for servers that specs throw away. */
  durable: boolean;
  /** A password made for this server. */
  secret: string;
}

/** A command of the operating system and its arguments. */
export interface Command {
  command: string;
  args: string[];
  env?: Record<string, string>;
  /** The account to run it as. @default the account of this process */
  user?: UnixUser;
}

/** How a server is started here and how it is stopped. */
export interface LaunchPlan {
  how: Exclude<Resolution, 'environment'>;
  /** What has to be done once before the first start; `run` rejects when the command fails. */
  prepare?(run: (command: Command) => Promise<void>): Promise<void>;
  /** The server itself, staying in the foreground, listening on `port` of 127.0.0.1. */
  start(port: number): Command;
  /** Ends it cleanly, so that its data can be used again. */
  stopSignal: NodeJS.Signals;
  /** Ends it quickly, when its data is thrown away. */
  endSignal: NodeJS.Signals;
  /** A command that removes what ending the process leaves behind. */
  cleanUp?: [string, ...string[]];
  /** Whether the server's log says that it could not start only because something is not free yet, so that it is tried again. */
  isTransient(log: string): boolean;
}

/** A container image for those who have Docker. */
export interface DockerImage {
  image: string;
  /** The port that the server listens on inside of the container. */
  port: number;
  /** Where the image keeps its data, for a volume that survives the container. */
  data: string;
  /** @param port The port of this machine that it is published on. */
  env(secret: string, port: number): Record<string, string>;
  /** Arguments after the image's name. */
  args?(place: LaunchPlace): string[];
}

/** One kind of server: all that has to be said about it, in one file. */
export interface ServiceDefinition {
  /** Lower case, as in the table of `npm run dev:services`. */
  name: string;
  /** Environment variables that may hold its address, the first that is set wins; none for a server that must be one's own. */
  env: readonly string[];
  /** Whether an app can do without it, so that `npm start` neither starts nor misses it. @default false */
  optional?: boolean;
  /** The address in a variable's value, where that may be less than a URL. @default the value */
  fromEnvironment?(value: string): string;
  /** The address of a server that was started here. */
  url(at: { port: number; secret: string }): string;
  /** Rejects for as long as the server does not serve. */
  ready(url: string): Promise<void>;
  /** The account that a native server has to run as. */
  user?(): Promise<UnixUser | undefined>;
  /** Whether {@link native} has what it needs; asked while specs are being defined, and so at once. @default whether there is a `native` */
  isInstalled?(): boolean;
  /** How this machine runs it without Docker; `undefined` when it cannot. */
  native?(place: LaunchPlace): Promise<LaunchPlan | undefined>;
  docker?: DockerImage;
  /** The one command that adds what is missing. */
  missing: string;
}

/** Says what a server is, with the types checked. */
export function defineService(definition: ServiceDefinition): ServiceDefinition {
  return definition;
}

/** The same server, but always started here: one from the environment could be neither stopped nor set up. */
export function ownServer(definition: ServiceDefinition): ServiceDefinition {
  return { ...definition, env: [] };
}
