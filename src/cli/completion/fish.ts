import { everyCommand, type Completable, type Flag } from './words.js';

/** A script for fish. */
export function fishCompletion(root: Completable): string {
  const commands = everyCommand(root);
  const paths = commands.filter(({ path }) => path.length > 0).map(({ path }) => quote(path.join(' ')));
  return `# fish completion for portcullis. Use it now:   portcullis completion fish | source
function __portcullis_at
    set -l at ''
    for word in (commandline -opc)[2..-1]
        set -l next (string trim -- "$at $word")
        if contains -- $next ${paths.join(' ')}
            set at $next
        end
    end
    test "$at" = "$argv[1]"
end
complete -c portcullis -f
${commands.flatMap(linesFor).join('\n')}
`;
}

function linesFor({ path, commands, flags, values, takesFiles }: Completable): string[] {
  const here = `complete -c portcullis -n ${quote(`__portcullis_at ${quote(path.join(' '))}`)}`;
  return [
    ...commands.map((below) => `${here} -a ${quote(below.path.at(-1)!)} -d ${quote(below.summary)}`),
    ...values.map((value) => `${here} -a ${quote(value)}`),
    ...(takesFiles ? [`${here} -F`] : []),
    ...flags.map((flag) => `${here} ${namesOf(flag)} -d ${quote(flag.summary)}${valueOf(flag)}`),
  ];
}

function namesOf({ names }: Flag): string {
  return names.map((name) => (name.startsWith('--') ? `-l ${name.slice(2)}` : `-s ${name.slice(1)}`)).join(' ');
}

function valueOf({ value }: Flag): string {
  switch (value.kind) {
    case 'none':
      return '';
    case 'free':
      return ' -x';
    case 'file':
      return ' -r -F';
    case 'choice':
      return ` -x -a ${quote(value.words.join(' '))}`;
  }
}

function quote(text: string): string {
  return `'${text.replaceAll('\\', '\\\\').replaceAll("'", "\\'")}'`;
}
