import type { FastifyInstance, FastifyRequest } from 'fastify';
import { AccessError } from '../domain/errors.js';
import { CallError } from './problem.js';

/**
 * Makes unknown paths a 404 and known ones with another method a 405 that says which there are. HEAD is answered
 * wherever GET is; OPTIONS, TRACE and everything else nowhere.
 */
export function refuseUnknownRoutes(app: FastifyInstance): void {
  const routes: { readonly segments: readonly string[]; readonly method: string }[] = [];
  app.addHook('onRoute', ({ url, method }) => {
    for (const one of [method].flat()) routes.push({ segments: url.split('/'), method: one });
  });
  app.addHook('onRequest', async (request) => {
    if (!request.is404) return;
    const path = pathOf(request);
    const methods = [...new Set(routes.filter(({ segments }) => fits(segments, path)).map(({ method }) => method))];
    if (methods.length === 0) throw new AccessError('not_found', `there is nothing at ${JSON.stringify(path)}`);
    const allow = methods.sort().join(', ');
    throw new CallError('method_not_allowed', `${request.method} is not possible here, but ${allow} is`, { allow });
  });
}

function pathOf({ url }: FastifyRequest): string {
  return url.split('?', 1)[0]!.slice(0, 1_000);
}

function fits(segments: readonly string[], path: string): boolean {
  const given = path.split('/');
  return (
    given.length === segments.length && segments.every((segment, i) => segment.startsWith(':') || segment === given[i])
  );
}
