/**
 * Public API of metasim, listed by hand. Importing it starts no thread, loads no tfjs backend and prints nothing.
 *
 * The road: `loadGrammar` → `sampleBatch` → `DistributionTransformer` → `Engine.render` → labels and datasets, and back
 * through `Engine.vjp` → `MmdLoss` → `metaTrain`. `trainTransformer` walks all of it, `trainFromConfig` from a file.
 * @module
 */

// Labels from the renderer's buffers.
export { annotateSample } from './annotate/annotateSample.js';
export { annotateBatch, annotateRegions, annotateScene } from './annotate/annotateScene.js';
export {
  type Box3d,
  type CommonLabel,
  type ImageCamera,
  isMeshLabel,
  type MeshLabel,
  type MeshPose,
  type ObjectLabel,
  type ObjectPose,
  type OcclusionLevel,
  type RotatedBox,
  type SpriteLabel,
  type WorldPose,
} from './annotate/objectLabel.js';
// Assets: what scenes are drawn with.
export {
  type Asset,
  AssetLibrary,
  type SpriteAsset,
  type SpriteImage,
} from './assets/assetLibrary.js';
export { openAssetSources } from './assets/assetSources.js';
export { type ImageAssetOptions, imageAssets } from './assets/imageAssets.js';
export type { MeshAsset, MeshData } from './assets/meshAsset.js';
export { type MeshAssetOptions, meshAssets } from './assets/meshes/meshAssets.js';
export { type MnistRange, type MnistSplit, mnistAssets } from './assets/mnist.js';
export { type ProceduralAerialOptions, proceduralAerial } from './assets/proceduralAerial.js';
export { type ProceduralBackgroundOptions, proceduralBackgrounds } from './assets/proceduralBackgrounds.js';
export { type ProceduralDigitOptions, proceduralDigits } from './assets/proceduralDigits.js';
export { type ProceduralDrivingOptions, proceduralDriving } from './assets/proceduralDriving.js';
// Batches: large datasets in shards.
export {
  type DatasetProgress,
  type GenerateDatasetOptions,
  type GeneratedDataset,
  generateDataset,
  type InProcessSource,
} from './batch/generateDataset.js';
export { type MergeOptions, mergeDatasets } from './batch/mergeDatasets.js';
export type { SourceSpec } from './batch/openSource.js';
export type { DatasetSettings, DatasetSettingsInput } from './batch/settings.js';
// Configurations (docs/CONFIGURATION.md), and the schemas to build one's own from.
export {
  type AssetSource,
  type AssetSourceInput,
  assetSourceSchema,
  type ClassificationTaskConfig,
  type CommandTaskConfig,
  classificationTaskSchema,
  commandTaskSchema,
  type EvaluationConfig,
  evaluationSchema,
  featuresSchema,
  loadConfig,
  type MetaConfig,
  metaSchema,
  mmdSchema,
  parseConfig,
  pretrainSchema,
  type SegmentationTaskConfig,
  type StageConfigInput,
  segmentationTaskSchema,
  stageConfig,
  stageSchema,
  type TaskConfig,
  type TrainConfig,
  type TrainConfigInput,
  taskSchema,
  trainConfigSchema,
  transformerSchema,
  warmStartSchema,
} from './config.js';
export { dataFolder } from './dataFolder.js';
export type { AuditDisagreement, AuditOptions, AuditSummary } from './dataset/audit.js';
export { type AuditDatasetOptions, auditDataset } from './dataset/auditDataset.js';
export { type ConvertedDataset, type ConvertOptions, convertDataset } from './dataset/convert.js';
export { depthOf } from './dataset/depthCode.js';
export {
  type AttributeDifference,
  type ClassDifference,
  type DatasetDifference,
  type DiffOptions,
  diffDatasets,
  type SampleDifference,
} from './dataset/diff.js';
export type { QuarantinedScene } from './dataset/entry.js';
// Formats: what reads and writes them, and what a reader of one's own has to be.
export type { DatasetFormat, DatasetReader } from './dataset/format.js';
export { FORMAT_NAMES, type FormatName, openFormat, recogniseFormat } from './dataset/formats/index.js';
export type { DatasetHeader } from './dataset/header.js';
export { pixelsOf } from './dataset/imageCodec.js';
export {
  type CanvasShape,
  classFolders,
  type FolderImages,
  type ImageFolderOptions,
  type LabelledFolderImages,
  readImageFolder,
  readLabelledFolder,
} from './dataset/imageFolder.js';
// KITTI: parts that have no drive in common.
export {
  type KittiSplit,
  type KittiSplitOptions,
  openKittiFrames,
  readKittiDrives,
  splitByDrive,
} from './dataset/kittiDrives.js';
export type { LicenceUse, Manifest } from './dataset/manifest.js';
export { normalComponent } from './dataset/normalCode.js';
// Datasets.
export type {
  DatasetInfo,
  DatasetSample,
  EncodedImage,
  ImageCodec,
  ImageLabels,
  SampleObject,
  SurfaceLayer,
} from './dataset/sample.js';
export { readSceneFile, writeSceneFile } from './dataset/sceneFile.js';
export {
  readLabelledCoco,
  readMaskFolder,
  readSegmentedCoco,
  type SegmentedFolderImages,
  type SegmentedOptions,
} from './dataset/segmentedImages.js';
export {
  type DatasetFault,
  type FaultKind,
  type VerifiedDataset,
  type VerifyOptions,
  verifyDataset,
} from './dataset/verify.js';
// Errors: all of them are `MetasimError` with a stable `code`.
export {
  AssetError,
  ConfigError,
  DatasetError,
  GrammarError,
  KernelError,
  MetasimError,
  SceneGraphError,
  ShapeError,
  TrainingError,
} from './errors.js';
// The paper's experiments, built on nothing but the above.
export {
  type AerialExperimentOptions,
  type AerialObserver,
  type AerialResult,
  runAerialExperiment,
} from './experiments/aerial/experiment.js';
export {
  type MnistExperimentOptions,
  type MnistObserver,
  type MnistResult,
  runMnistExperiment,
} from './experiments/mnist/experiment.js';
export { MNIST_TARGETS, type MnistTarget, type MnistTargetName } from './experiments/mnist/targets.js';
// Grammars: where scenes come from (docs/GRAMMAR.md).
export { type Grammar, type GrammarOptions, loadGrammar, parseGrammar } from './grammar/grammar.js';
export type { NodePoses } from './grammar/poses.js';
export type { GrammarOverrides } from './grammar/prepare.js';
export type { ResolvedGrammar } from './grammar/resolved.js';
export {
  defineGrammar,
  type GrammarDefinition,
  type PredicateContext,
  type ScenePredicate,
} from './grammar/schema.js';
// Learning: what computes, the networks, the distance to real images.
export {
  type BackendInfo,
  type BackendKind,
  type BackendOptions,
  disposeBackend,
  initBackend,
} from './learn/backend.js';
export { Classifier, type ClassifierOptions } from './learn/classifier.js';
export {
  DistributionTransformer,
  type TransformerConfig,
  type TransformerOptions,
  type TransformOptions,
} from './learn/distributionTransformer.js';
export { type FetchedInception, type FetchInceptionOptions, fetchInception } from './learn/inception/fetch.js';
export {
  type FeatureExtractor,
  Inception,
  type InceptionInfo,
  type InceptionOptions,
} from './learn/inception/inception.js';
export type {
  ImageStack,
  LabelledImages,
  SegmentedImages,
  TaskNetwork,
  TaskScore,
  TaskTrainingOptions,
} from './learn/taskNetwork.js';
export {
  type SampleTarget,
  type TensorSample,
  type TensorSamplesOptions,
  tensorDataset,
  tensorSamples,
} from './learn/tensorSamples.js';
/** The tfjs-core that metasim computes with: tensors of another copy of it would not be known here. */
export { tf } from './learn/tf.js';
export { TransformedSource, type TransformedSourceOptions } from './learn/transformedSource.js';
export { UNet, type UNetOptions } from './learn/unet.js';
export type { Bandwidth } from './loss/gaussianKernel.js';
export { MmdLoss, type MmdOptions, type MmdSettings } from './loss/mmd.js';
// Detections: average precision as KITTI defines it.
export {
  type AveragePrecision,
  type AveragePrecisionOptions,
  averagePrecision,
  KITTI_DIFFICULTIES,
  KITTI_NEIGHBOURS,
  KITTI_OVERLAPS,
  type KittiDifficulty,
  type PrecisionPoint,
} from './metrics/averagePrecision.js';
export type {
  DetectedObject,
  DetectionBox,
  DetectionFrame,
  DifficultyLimits,
  TrueObject,
} from './metrics/detectionMatching.js';
// Distances between sets of images.
export {
  type DistanceStep,
  type FeatureDistance,
  type FeatureDistanceOptions,
  featureDistance,
} from './metrics/featureDistance.js';
export type { FeatureRows } from './metrics/featureRows.js';
export { frechetDistance } from './metrics/frechet.js';
export { type GaussianMmd, type GaussianMmdOptions, gaussianMmd } from './metrics/gaussianMmd.js';
export { type ImageDistance, type ImageDistanceOptions, imageDistance } from './metrics/imageDistance.js';
export { type IntersectionOverUnion, type IouOptions, intersectionOverUnion } from './metrics/iou.js';
export { type Kid, type KidOptions, kernelInceptionDistance, pooledFeatures } from './metrics/kid.js';
export { type KittiDetectionOptions, type KittiDetections, readKittiDetections } from './metrics/kittiDetections.js';
export { type Visibility, visibilityOf } from './metrics/visibility.js';
export { type RandomAddress, RandomStream } from './random.js';
export { COVERAGE_COLUMNS, CoverageColumn, coverageOf } from './render/coverage.js';
export {
  Engine,
  type EngineOptions,
  type EngineStats,
  type RenderedBatch,
  type RenderOptions,
  type VjpOptions,
} from './render/engine.js';
export type { GenerateOptions, Sample } from './render/generate.js';
// Rendering: images, labels, and the gradient through the renderer.
export { REGION_COLUMNS, RegionColumn } from './render/regions.js';
export { sampleStream } from './render/sampleStream.js';
export type { ColorFormat, MeshOutputOptions } from './render/sceneLayout.js';
export { decodeScenes } from './render/verify.js';
export {
  AttributeRole,
  type AttributeSpec,
  attributeDifference,
  attributeIndex,
  NodeKind,
  type SceneSchema,
  toRange,
} from './scene/attributeSchema.js';
// Scenes: scene graphs as structures of arrays, and their file format.
export { encodeScenes } from './scene/encode.js';
export { type Camera, type Provenance, type SceneBatch, type SceneGraph, withAttributes } from './scene/sceneGraph.js';
export { FRESH_SCENES, type SampleRequest, type SceneSource } from './scene/sceneSource.js';
export { cameraOf, type PlacedCamera, worldFrames } from './scene/worldFrames.js';
export type { ClassMap } from './training/classMaps.js';
export { type ClassSurveyOptions, type ClassSurveyResult, surveyClasses } from './training/classSurvey.js';
export { CommandTask, type CommandTaskOptions } from './training/commandTask.js';
export { type EvaluateRunOptions, evaluateRun, type RunScore } from './training/evaluateRun.js';
export { type LabelledScenesRequest, renderLabelledScenes, sceneLabeller } from './training/labelledScenes.js';
export type { MetaState } from './training/metaState.js';
export type { MetaTask } from './training/metaTask.js';
export { type EpochReport, type MetaTrainOptions, metaTrain } from './training/metaTrain.js';
export {
  classificationTask,
  NetworkTask,
  type NetworkTaskOptions,
  segmentationTask,
} from './training/networkTask.js';
export {
  evaluateOffline,
  evaluateSegmentation,
  type OfflineEvaluation,
  type OfflineEvaluationOptions,
  type OfflineOptions,
  type OfflineSegmentation,
  type OfflineSegmentationOptions,
} from './training/offlineEvaluation.js';
export { type PretrainOptions, type PretrainResult, pretrain } from './training/pretrain.js';
export { type LoadedRun, loadRun, type RunRecord, writeRunRecord } from './training/run.js';
export {
  BACKGROUND,
  renderSegmentedScenes,
  type SegmentedScenesRequest,
  sceneSegmenter,
  segmentationClasses,
} from './training/segmentedScenes.js';
export {
  checkpointFolder,
  expectSameRun,
  type ImageSet,
  type StageConfig,
  type TrainedModel,
  type TrainObserver,
  type TrainOptions,
  type TrainStage,
  trainTransformer,
} from './training/train.js';
// Training: whole, and stage by stage.
export { type TrainFromConfigOptions, trainFromConfig } from './training/trainFromConfig.js';
export { type ShiftSurveyResult, surveyOffsets, type WarmStartOptions } from './training/warmStart.js';
export type { WarmStartResult } from './training/warmStartResult.js';
