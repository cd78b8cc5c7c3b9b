import { Get, Header, Param } from '@nestjs/common';
import { asyncApiDocument, getEscalationSemantics, publishedSchemas, UmpireError } from '@umpire/contract';
import { Allow, GuardedController } from '@umpire/runtime';

const schemas = publishedSchemas();

/** The contract for any language: JSON Schemas, the AsyncAPI document, and the contract's own semantics. Open to everybody. */
@GuardedController()
export class SchemasController {
  @Get('schemas')
  @Allow('public')
  list() {
    return { items: Object.keys(schemas).map((name) => ({ name, href: `/schemas/${name}.json` })), next: null };
  }

  @Get('schemas/:file')
  @Header('content-type', 'application/schema+json')
  @Allow('public')
  schema(@Param('file') file: string) {
    const name = file.replace(/\.json$/, '');
    if (!Object.hasOwn(schemas, name)) throw new UmpireError('not_found', `no schema is named ${JSON.stringify(name)}; /schemas lists them`);
    return schemas[name];
  }

  @Get('asyncapi.json')
  @Allow('public')
  asyncApi() {
    return asyncApiDocument();
  }

  /** The contract seed's `get_escalation_semantics()`. */
  @Get('semantics.json')
  @Allow('public')
  semantics() {
    return getEscalationSemantics();
  }
}
