import { fileName, isHttp, mediaOf, mediaOfType, type Media } from "../output/kind.ts";
import { isOwn } from "../ui/own-files.ts";
import { bytes } from "../ui/quantities.ts";
import { localFile } from "./upload.ts";

/** A file of an input: what it looks or sounds like where the browser can tell, and its name. */
export function FilePreview({ url }: { url: string }) {
  const known = localFile(url);
  const source = known?.preview ?? url;
  const media: Media = known === undefined ? mediaOf(url) : mediaOfType(known.type);
  // Other hosts are asked for nothing by themselves.
  const isShowable = known !== undefined || isOwn(url);
  return (
    <span class="file-preview">
      {isShowable && media === "image" && <img src={source} alt="" />}
      {isShowable && media === "video" && <video src={source} controls muted preload="metadata" />}
      {isShowable && media === "audio" && <audio src={source} controls preload="metadata" />}
      <span class="file-preview-name">
        {known?.name ?? (isHttp(url) ? <a href={url} target="_blank" rel="noreferrer noopener">{fileName(url)}</a> : fileName(url))}
        {known !== undefined && <span class="muted small"> {bytes(known.size)}</span>}
      </span>
    </span>
  );
}
