// Files that hold pictures, by their names.

/** A tar shard: `.tar`, `.tgz`, `.tar.gz`. */
export const isTar = (name: string): boolean => /\.(tar|tgz|tar\.gz)$/i.test(name);
/** A parquet file. */
export const isParquet = (name: string): boolean => /\.parquet$/i.test(name);
export const isArchive = (name: string): boolean => isTar(name) || isParquet(name);
