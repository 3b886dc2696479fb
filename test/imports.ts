import * as ts from 'typescript';

/** One mention of another module. */
export interface Import {
  /** As written; null where it is no literal, so that nobody can tell. */
  readonly path: string | null;
  /** By `import()`, when it is needed; not while the module loads. */
  readonly late: boolean;
}

export interface ModuleFacts {
  /** Of values and of types, re-exports and side effects included. */
  readonly imports: readonly Import[];
  readonly hasDefaultExport: boolean;
}

/** What a source file mentions, read by the compiler's own parser: neither comments nor strings can confuse it. */
export function readModule(file: string, source: string): ModuleFacts {
  const imports: Import[] = [];
  let hasDefaultExport = false;
  const visit = (node: ts.Node): void => {
    imports.push(...importsOf(node));
    hasDefaultExport ||= isDefaultExport(node);
    ts.forEachChild(node, visit);
  };
  visit(ts.createSourceFile(file, source, ts.ScriptTarget.Latest));
  return { imports, hasDefaultExport };
}

function importsOf(node: ts.Node): Import[] {
  if (ts.isImportDeclaration(node)) return [{ path: textOf(node.moduleSpecifier), late: false }];
  if (ts.isExportDeclaration(node) && node.moduleSpecifier)
    return [{ path: textOf(node.moduleSpecifier), late: false }];
  if (ts.isExternalModuleReference(node)) return [{ path: textOf(node.expression), late: false }];
  // A type that is named in place: `import('./x.js').X`.
  if (ts.isImportTypeNode(node))
    return [{ path: ts.isLiteralTypeNode(node.argument) ? textOf(node.argument.literal) : null, late: false }];
  if (!ts.isCallExpression(node)) return [];
  if (node.expression.kind === ts.SyntaxKind.ImportKeyword) return [{ path: textOf(node.arguments[0]), late: true }];
  const isRequire = ts.isIdentifier(node.expression) && node.expression.text === 'require';
  return isRequire ? [{ path: textOf(node.arguments[0]), late: false }] : [];
}

function textOf(node: ts.Node | undefined): string | null {
  return node && ts.isStringLiteralLike(node) ? node.text : null;
}

function isDefaultExport(node: ts.Node): boolean {
  if (ts.isExportAssignment(node)) return true;
  if (ts.isExportSpecifier(node)) return node.name.text === 'default';
  if (ts.isNamespaceExport(node)) return node.name.text === 'default';
  return (
    ts.canHaveModifiers(node) && (ts.getModifiers(node) ?? []).some(({ kind }) => kind === ts.SyntaxKind.DefaultKeyword)
  );
}
