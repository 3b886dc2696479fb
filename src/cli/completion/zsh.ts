import { everyCommand, type Completable, type Flag } from './words.js';

/** A script for zsh, for a folder of its `fpath` or to be sourced. */
export function zshCompletion(root: Completable): string {
  const commands = everyCommand(root);
  return `#compdef portcullis
# zsh completion for portcullis. Use it now:   source <(portcullis completion zsh)
_portcullis() {
  local word="\${words[CURRENT]}" before="\${words[CURRENT-1]}" at='' next i
  local -a plain flags
  for ((i = 2; i < CURRENT; i++)); do
    next="\${at:+$at }\${words[i]}"
    case "$next" in
      (${commands
        .filter(({ path }) => path.length > 0)
        .map(({ path }) => quote(path.join(' ')))
        .join('|')}) at="$next" ;;
    esac
  done
  case "$at:$before" in
${commands.flatMap(valueCases).join('\n')}
  esac
  case "$at" in
${commands.map(wordCase).join('\n')}
  esac
}
if [[ $zsh_eval_context[-1] == loadautofunc ]]; then _portcullis "$@"; else compdef _portcullis portcullis; fi
`;
}

function valueCases({ path, flags }: Completable): string[] {
  const at = path.join(' ');
  return flags.flatMap((flag) => {
    if (flag.value.kind === 'none') return [];
    const patterns = flag.names.map((name) => quote(`${at}:${name}`)).join('|');
    return [`    (${patterns}) ${replyFor(flag)}; return ;;`];
  });
}

function replyFor({ value, summary }: Flag): string {
  switch (value.kind) {
    case 'none':
    case 'free':
      return `_message ${quote(summary)}`;
    case 'file':
      return '_files';
    case 'choice':
      return `compadd -- ${value.words.map(quote).join(' ')}`;
  }
}

function wordCase({ path, commands, flags, values, takesFiles }: Completable): string {
  const plain = [...commands.map((below) => described(below.path.at(-1)!, below.summary)), ...values.map(quote)];
  const names = flags.flatMap((flag) => flag.names.map((name) => described(name, flag.summary)));
  const files = takesFiles ? ' _files;' : '';
  return `    (${quote(path.join(' '))})
      plain=(${plain.join(' ')})
      flags=(${names.join(' ')})
      if [[ $word == -* ]]; then _describe option flags; else _describe word plain;${files} fi ;;`;
}

/** A word and what it means, as `_describe` takes them: up to the first colon it is the word. */
function described(word: string, summary: string): string {
  return quote(`${word}:${summary}`);
}

function quote(text: string): string {
  return `'${text.replaceAll("'", `'\\''`)}'`;
}
