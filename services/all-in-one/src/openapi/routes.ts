import { RequestMethod, type DynamicModule, type Type } from '@nestjs/common';
import { HTTP_CODE_METADATA, METHOD_METADATA, PATH_METADATA, ROUTE_ARGS_METADATA } from '@nestjs/common/constants.js';
import { RouteParamtypes } from '@nestjs/common/enums/route-paramtypes.enum.js';
import { ROLES_KEY } from '@umpire/runtime';
import { z } from 'zod';

type JsonSchema = Record<string, unknown>;

/** A route as its controller declares it. Schemas are JSON Schema 2020-12 of what may be sent. */
export type Route = {
  method: 'get' | 'post' | 'put' | 'patch' | 'delete';
  /** With `{name}` for parameters. */
  path: string;
  operation: string;
  status: number;
  roles: string[];
  params: { name: string; schema: JsonSchema }[];
  query: { name: string; required: boolean; schema: JsonSchema }[];
  body: JsonSchema | null;
};

type Argument = { data?: unknown; schema?: unknown };

/** Every route of the controllers of these modules, by path and method. */
export function routesOf(modules: DynamicModule[]): Route[] {
  const controllers = modules.flatMap((module) => (module.controllers ?? []) as Type[]);
  return controllers.flatMap(routesOfController).sort((a, b) => (a.path === b.path ? a.method.localeCompare(b.method) : a.path < b.path ? -1 : 1));
}

function routesOfController(controller: Type): Route[] {
  const prototype = controller.prototype as Record<string, object>;
  const prefix = read<string>(PATH_METADATA, controller) ?? '';
  return Object.getOwnPropertyNames(prototype).flatMap((name): Route[] => {
    const handler = name === 'constructor' ? undefined : prototype[name];
    const method = handler && read<RequestMethod>(METHOD_METADATA, handler);
    if (handler === undefined || method === undefined) return [];
    const path = `/${[prefix, read<string>(PATH_METADATA, handler) ?? ''].flatMap((part) => part.split('/')).filter(Boolean).join('/')}`.replace(/:(\w+)/g, '{$1}');
    const args = Object.entries(read<Record<string, Argument>>(ROUTE_ARGS_METADATA, controller, name) ?? {});
    const of = (type: RouteParamtypes) => args.filter(([key]) => key.startsWith(`${type}:`)).map(([, argument]) => argument);
    const verb = RequestMethod[method]!.toLowerCase() as Route['method'];
    return [{
      method: verb,
      path,
      operation: `${controller.name.replace(/Controller$/, '')}_${name}`,
      status: read<number>(HTTP_CODE_METADATA, handler) ?? (verb === 'post' ? 201 : 200),
      roles: read<string[]>(ROLES_KEY, handler) ?? read<string[]>(ROLES_KEY, controller) ?? [],
      params: [...path.matchAll(/\{(\w+)\}/g)].map(([, param]) => ({ name: param!, schema: schemaOf(of(RouteParamtypes.PARAM).find(({ data }) => data === param)?.schema) ?? { type: 'string' } })),
      query: of(RouteParamtypes.QUERY).flatMap(({ schema }) => queryOf(schemaOf(schema))),
      body: schemaOf(of(RouteParamtypes.BODY)[0]?.schema),
    }];
  });
}

function read<T>(key: string, target: object, property?: string): T | undefined {
  return (property === undefined ? Reflect.getMetadata(key, target) : Reflect.getMetadata(key, target, property)) as T | undefined;
}

function queryOf(schema: JsonSchema | null): Route['query'] {
  const { properties = {}, required = [] } = (schema ?? {}) as { properties?: Record<string, JsonSchema>; required?: string[] };
  return Object.entries(properties).map(([name, property]) => ({ name, required: required.includes(name), schema: property }));
}

/** @returns what a client may send; without the ids and dialects that only make sense in a document of their own */
function schemaOf(schema: unknown): JsonSchema | null {
  if (!(schema instanceof z.ZodType)) return null;
  // What is inside a component already would refer to one that this document does not have.
  const { $schema: _dialect, id: _id, $id: _uri, ...rest } = z.toJSONSchema(schema, { io: 'input', unrepresentable: 'any', reused: 'inline', metadata: z.registry() }) as JsonSchema;
  return rest;
}
