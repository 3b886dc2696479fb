import { everyCommand, type Completable, type Flag } from './words.js';

/** A script for bash that needs nothing else installed. */
export function bashCompletion(root: Completable): string {
  const commands = everyCommand(root);
  return `# bash completion for portcullis. Use it now:   source <(portcullis completion bash)
_portcullis_files() {
  local IFS=$'\\n'
  COMPREPLY+=($(compgen -f -- "$1"))
  compopt -o filenames 2>/dev/null
}
_portcullis() {
  local word="\${COMP_WORDS[COMP_CWORD]}" before="\${COMP_WORDS[COMP_CWORD-1]}" at='' next i
  COMPREPLY=()
  # Which command the words before lead to. A word that belongs to none (a value, an argument) changes nothing.
  for ((i = 1; i < COMP_CWORD; i++)); do
    next="\${at:+$at }\${COMP_WORDS[i]}"
    case "$next" in
      ${commands
        .filter(({ path }) => path.length > 0)
        .map(({ path }) => quote(path.join(' ')))
        .join(' | ')}) at="$next" ;;
    esac
  done
  case "$at:$before" in
${commands.flatMap(valueCases).join('\n')}
  esac
  case "$at" in
${commands.map(wordCase).join('\n')}
  esac
}
complete -F _portcullis portcullis
`;
}

function valueCases({ path, flags }: Completable): string[] {
  const at = path.join(' ');
  return flags.flatMap((flag) => {
    if (flag.value.kind === 'none') return [];
    const patterns = flag.names.map((name) => quote(`${at}:${name}`)).join(' | ');
    return [`    ${patterns}) ${replyFor(flag)}; return ;;`];
  });
}

function replyFor({ value }: Flag): string {
  switch (value.kind) {
    case 'none':
    case 'free':
      return ':';
    case 'file':
      return '_portcullis_files "$word"';
    case 'choice':
      return `COMPREPLY=($(compgen -W ${quote(value.words.join(' '))} -- "$word"))`;
  }
}

function wordCase({ path, commands, flags, values, takesFiles }: Completable): string {
  const plain = [...commands.map((below) => below.path.at(-1)!), ...values];
  const names = flags.flatMap((flag) => flag.names);
  const files = takesFiles ? ' _portcullis_files "$word";' : '';
  return `    ${quote(path.join(' '))})
      if [[ $word == -* ]]; then COMPREPLY=($(compgen -W ${quote(names.join(' '))} -- "$word"))
      else COMPREPLY=($(compgen -W ${quote(plain.join(' '))} -- "$word"));${files} fi ;;`;
}

function quote(text: string): string {
  return `'${text.replaceAll("'", `'\\''`)}'`;
}
