import { Injectable, type OnModuleInit } from '@nestjs/common';
import { MetadataScanner, ModulesContainer } from '@nestjs/core';
import { LimitDeclarationError } from '../errors.js';
import { type Declared, declaredOn } from './declared.js';
import { groupLimits, type LimitGroup, type NamedLimit, nameLimits } from './limit.groups.js';
import { type PlaceKind, problemsOf, returnProblems, ruleProblems } from './limit.problems.js';
import { guardsOn, isController, isHandler, isMessageHandler, isRoute } from './places.js';

/** A class, or one of its methods, that states limits. */
interface Place {
  readonly label: string;
  readonly limits: readonly NamedLimit[];
}

/** What counts for a handler. */
export interface HandlerLimits {
  /** Of the method, then of the class. */
  readonly groups: readonly LimitGroup[];
  /** `@RateLimit(false)`. */
  readonly none: boolean;
  /** The guards that `@UseGuards()` names on the handler and on its class. */
  readonly guards: readonly unknown[];
}

/** A class that Nest knows, with its prototype. */
type Owner = abstract new (...args: never[]) => object;

/** Every limit that decorators of the app state: checked as a whole when it boots, looked up by place afterwards. */
@Injectable()
export class LimitRegistry implements OnModuleInit {
  private readonly places = new Map<object, Place>();
  private readonly grouped = new WeakMap<object, readonly LimitGroup[]>();
  private readonly handlers = new WeakMap<object, WeakMap<object, HandlerLimits>>();
  private readonly labels = new Map<string, number>();
  private problems?: string[];

  constructor(private readonly modules: ModulesContainer) {}

  /** @throws LimitDeclarationError with everything that cannot be meant, by class and method */
  onModuleInit(): void {
    const problems = this.survey();
    if (problems.length > 0) throw new LimitDeclarationError(problems);
  }

  ofHandler(method: object, owner: object): HandlerLimits {
    const known = this.handlers.get(owner) ?? new WeakMap<object, HandlerLimits>();
    let found = known.get(method);
    if (!found) {
      const [own, all] = [declaredOn(method), declaredOn(owner)];
      const none = own.none || (all.none && own.limits.length === 0);
      const groups = none ? [] : [...this.groupsOf(method, owner), ...(all.none ? [] : this.groupsOf(owner, owner))];
      known.set(method, (found = { none, groups, guards: guardsOn(method, owner) }));
      this.handlers.set(owner, known);
    }
    return found;
  }

  ofCall(method: object, owner: object): readonly LimitGroup[] {
    return declaredOn(method).none ? [] : this.groupsOf(method, owner);
  }

  private groupsOf(place: object, owner: object): readonly LimitGroup[] {
    let groups = this.grouped.get(place);
    if (!groups) {
      this.survey(); // others begin before this class is asked to
      const found = this.places.get(place) ?? this.addLate(place, owner);
      groups = groupLimits(
        found.limits,
        [...this.places.values()].map(({ limits }) => limits),
      );
      this.grouped.set(place, groups);
    }
    return groups;
  }

  /** Of a module that is loaded lazily, and so was not there at boot. */
  private addLate(place: object, owner: object): Place {
    const [ofOwner, ofPlace] = [owner, place].map(named => (named as { name: string }).name);
    return this.add(place, place === owner ? ofOwner! : `${ofOwner}.${ofPlace}`, declaredOn(place));
  }

  /** Finds all places, once. */
  private survey(): readonly string[] {
    if (!this.problems) {
      this.problems = [];
      for (const owner of this.owners()) this.problems.push(...this.scan(owner));
      this.problems.push(...contradictions([...this.places.values()]));
    }
    return this.problems;
  }

  private owners(): Set<Owner> {
    const found = new Set<Owner>();
    for (const { controllers, providers } of this.modules.values())
      for (const { metatype } of [...controllers.values(), ...providers.values()])
        if (typeof metatype === 'function' && typeof metatype.prototype === 'object') found.add(metatype as Owner);
    return found;
  }

  private *scan(owner: Owner): Generator<string> {
    const prototype = owner.prototype as object | null;
    const names = prototype ? new MetadataScanner().getAllMethodNames(prototype) : [];
    const methods = names.map(name => ({ name, method: Reflect.get(prototype!, name) as object }));
    const onClass = declaredOn(owner);
    if (onClass.limits.length > 0) {
      const routes = methods.some(({ method }) => isRoute(method));
      if (!isController(owner)) yield `${owner.name}: a class without handlers has its limits on its methods`;
      else yield* this.check(owner, owner.name, onClass, routes ? 'http' : 'message');
    }
    for (const { name, method } of methods) {
      const declared = declaredOn(method);
      if (declared.limits.length === 0 && !declared.none) continue;
      const kind = kindOf(method, owner);
      const more = kind === 'method' ? returnProblems(prototype!, name) : [];
      yield* this.check(method, `${owner.name}.${name}`, declared, kind, more);
    }
  }

  private *check(
    place: object,
    label: string,
    declared: Declared,
    kind: PlaceKind,
    more: Iterable<string> = [],
  ): Generator<string> {
    if (this.places.has(place)) return; // inherited by another class, and known by the one that states it
    if (declared.none && declared.limits.length > 0) yield `${label}: it states limits and that there are none`;
    const problems = [...declared.limits.flatMap(options => [...problemsOf(options, kind)]), ...more];
    yield* problems.map(problem => `${label}: ${problem}`);
    if (problems.length > 0) return;
    for (const { name, windows } of this.add(place, label, declared).limits)
      for (const problem of ruleProblems({ name, windows })) yield `${label}: ${problem}`;
  }

  private add(place: object, label: string, { limits }: Declared): Place {
    const named = { label, limits: nameLimits(limits, this.nameFor(label)) };
    this.places.set(place, named);
    return named;
  }

  /** Classes of one name in several modules are told apart, in the order of the modules. */
  private nameFor(label: string): string {
    const count = (this.labels.get(label) ?? 0) + 1;
    this.labels.set(label, count);
    const name = label.replace(/[^\w.:-]/g, '_').slice(0, 60);
    return count === 1 ? name : `${name}:${count}`;
  }
}

function kindOf(method: object, owner: object): PlaceKind {
  if (!isHandler(method, owner)) return 'method';
  return isMessageHandler(method) && !isRoute(method) ? 'message' : 'http';
}

/** Limits of one name that do not say the same. */
function* contradictions(places: readonly Place[]): Generator<string> {
  const first = new Map<string, { label: string; says: string }>();
  for (const { label, limits } of places) {
    for (const { name, windows, onFailure } of limits) {
      const says = [
        ...windows.map(({ limit, windowMs }) => `${limit} per ${windowMs} ms`),
        ...(onFailure ? [onFailure] : []),
      ].join(', ');
      const other = first.get(name);
      if (!other) first.set(name, { label, says });
      else if (other.says !== says)
        yield `${label}: its limit "${name}" says ${says}, and the one of ${other.label} says ${other.says}`;
    }
  }
}
