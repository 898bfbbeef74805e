/** What `hf:owner/name[@revision][/file]` names. */
export interface HubName {
  /** `owner/name` */
  readonly repository: string;
  /** A branch, a tag or a commit, or `refs/pr/3`; after others a slash begins the path of a file. */
  readonly revision?: string | undefined;
  readonly file?: string | undefined;
}

/** What a name of the Hugging Face Hub says; undefined for what is no such name. */
export function hubName(text: string): HubName | undefined {
  const [, repository, revision, file] =
    /^hf:([\w.-]+\/[\w.-]+)(?:@(refs\/(?:pr|convert)\/[\w.-]+|[\w.-]+))?(?:\/(.+))?$/.exec(text) ?? [];
  return repository === undefined ? undefined : { repository, revision, file };
}
